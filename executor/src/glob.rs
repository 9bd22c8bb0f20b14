//! Globs over names and paths: `*`, `**`, `?`, classes; always anchored at both ends.

#[cfg(test)]
mod tests;

/// Whether `path` matches `pattern`, part by part between slashes.
///
/// `*` and `?` stay within a part; a part `**` stands for any number of parts, none too; `[a-z]`, `[!a-z]` and
/// `[^a-z]` are classes; a backslash takes the next character as it is. A class that never ends matches nothing.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let pattern: Vec<Vec<char>> = pattern.split('/').map(|part| part.chars().collect()).collect();
    let path: Vec<Vec<char>> = path.split('/').map(|part| part.chars().collect()).collect();
    // Each `**` is tried at each place once: what an earlier one took makes no difference to a later one.
    wildcard(&pattern, &path, |part| part[..] == ['*', '*'], |part, name| matches_part(part, name))
}

/// Whether the parts before the first one with a wildcard are all of it, and those parts.
pub(crate) fn literal_prefix(pattern: &str) -> &str {
    match pattern.find(['*', '?', '[', '\\']) {
        None => pattern,
        Some(at) => pattern[..at].rfind('/').map_or("", |slash| &pattern[..slash]),
    }
}

/// One step of a part.
#[derive(Debug)]
enum Step {
    Any,
    One,
    Exactly(char),
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Step {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Any | Self::One => true,
            Self::Exactly(this) => *this == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated
            }
        }
    }
}

fn matches_part(pattern: &[char], name: &[char]) -> bool {
    steps(pattern).is_some_and(|steps| {
        wildcard(&steps, name, |step| matches!(step, Step::Any), |step, c| step.takes(*c))
    })
}

/// Matches items one to one, where a wild one stands for any number; in at most `pattern × items` steps.
fn wildcard<P, T>(
    pattern: &[P],
    items: &[T],
    is_wild: impl Fn(&P) -> bool,
    matches: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut retry = None;
    while item < items.len() {
        if at < pattern.len() && is_wild(&pattern[at]) {
            retry = Some((at + 1, item));
            at += 1;
        } else if at < pattern.len() && matches(&pattern[at], &items[item]) {
            at += 1;
            item += 1;
        } else if let Some((after, from)) = retry {
            retry = Some((after, from + 1));
            (at, item) = (after, from + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(is_wild)
}

fn steps(pattern: &[char]) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = pattern.iter().copied();
    while let Some(c) = rest.next() {
        steps.push(match c {
            '*' => Step::Any,
            '?' => Step::One,
            '\\' => Step::Exactly(rest.next()?),
            '[' => class(&mut rest)?,
            c => Step::Exactly(c),
        });
    }
    Some(steps)
}

fn class(rest: &mut impl Iterator<Item = char>) -> Option<Step> {
    let (mut negated, mut ranges) = (false, Vec::new());
    let mut next = rest.next()?;
    if matches!(next, '!' | '^') {
        negated = true;
        next = rest.next()?;
    }
    let mut first = true;
    while next != ']' || first {
        first = false;
        let from = if next == '\\' { rest.next()? } else { next };
        next = rest.next()?;
        let mut to = from;
        if next == '-' {
            next = rest.next()?;
            if next == ']' {
                ranges.push(('-', '-'));
            } else {
                to = if next == '\\' { rest.next()? } else { next };
                next = rest.next()?;
            }
        }
        ranges.push((from, to));
    }
    Some(Step::Class { negated, ranges })
}
