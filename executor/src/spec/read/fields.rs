//! Reads typed fields from a tree and notes every one that is not what it should be.

use std::fmt::Write as _;

use serde_json::Value;

use super::ReadOptions;
use crate::spec::engine::StringMap;
use crate::spec::error::{Problem, nearest, quote};
use crate::spec::tree::{Node, NodeValue};

/// Where in the job a value stands; made into text only for a problem.
#[derive(Clone, Copy)]
pub(super) struct At<'p> {
    parent: Option<&'p At<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

impl<'p> At<'p> {
    pub(super) const fn root() -> At<'static> {
        At { parent: None, step: Step::Root }
    }

    pub(super) fn key<'c>(&'c self, key: &'c str) -> At<'c>
    where
        'p: 'c,
    {
        At { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index<'c>(&'c self, index: usize) -> At<'c>
    where
        'p: 'c,
    {
        At { parent: Some(self), step: Step::Index(index) }
    }

    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        self.write(&mut path);
        path
    }

    fn write(&self, path: &mut String) {
        if let Some(parent) = self.parent {
            parent.write(path);
        }
        match self.step {
            Step::Root => {}
            Step::Key(key) => {
                if !path.is_empty() {
                    path.push('.');
                }
                // Keys of a map come from outside.
                path.extend(key.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }));
            }
            Step::Index(index) => {
                // Writing to a String does not fail.
                let _ = write!(path, "[{index}]");
            }
        }
    }
}

/// Reads fields and keeps what is wrong with them.
pub(super) struct Reader<'o> {
    pub(super) options: &'o ReadOptions,
    pub(super) problems: Vec<Problem>,
    /// Problems beyond `problems_max`, which are counted alone.
    pub(super) more: usize,
}

impl<'o> Reader<'o> {
    pub(super) fn new(options: &'o ReadOptions) -> Self {
        Self { options, problems: Vec::new(), more: 0 }
    }

    pub(super) fn refuse(&mut self, problem: Problem) {
        if self.is_full() {
            self.more += 1;
        } else {
            self.problems.push(problem);
        }
    }

    fn is_full(&self) -> bool {
        self.problems.len() >= self.options.limits.problems_max
    }

    /// Notes that a value is of the wrong kind.
    pub(super) fn wrong_kind(&mut self, node: &Node<'_>, at: &At<'_>, allowed: &str) {
        let problem = Problem::new(at.path(), "the value is of the wrong kind").found(node.describe());
        self.refuse(problem.allowed(allowed).line(node.line));
    }

    /// The values of an object's keys, in the order of `keys`, matched in any case as Go's decoder does.
    ///
    /// Gives nothing at all when it is no object. A null value counts as absent.
    pub(super) fn object<'t, const N: usize>(
        &mut self,
        node: Node<'t>,
        at: &At<'_>,
        keys: &[&'static str; N],
    ) -> Option<[Option<Node<'t>>; N]> {
        let entries = match node.value {
            NodeValue::Object(entries) => entries,
            NodeValue::Null => Vec::new(),
            _ => {
                self.wrong_kind(&node, at, &format!("an object with {}", keys.join(", ")));
                return None;
            }
        };
        let mut values = [const { None }; N];
        let mut seen = [false; N];
        for (key, value) in entries {
            match keys.iter().position(|known| known.eq_ignore_ascii_case(&key)) {
                Some(index) if seen[index] => {
                    let problem = Problem::new(at.key(keys[index]).path(), "the field is given twice");
                    self.refuse(
                        problem.found(quote(&key)).allowed("each field once, in any case").line(value.line),
                    );
                }
                Some(index) => {
                    seen[index] = true;
                    values[index] = Some(value).filter(|value| !value.is_null());
                }
                None if self.options.ignore_unknown_keys => {}
                None => self.unknown_key(&key, value.line, at, keys),
            }
        }
        Some(values)
    }

    fn unknown_key(&mut self, key: &str, line: u32, at: &At<'_>, keys: &[&str]) {
        if self.is_full() {
            // Finding the nearest name for each of very many keys would take long.
            self.more += 1;
            return;
        }
        let place = match at.step {
            Step::Root => "Job",
            Step::Key(key) => key,
            Step::Index(_) => match at.parent.map(|parent| parent.step) {
                Some(Step::Key(key)) => key,
                _ => "list",
            },
        };
        let message = format!("unknown field: '{}' in '{place}'", quote(key).trim_matches('"'));
        let allowed = match nearest(key, keys) {
            Some(name) => format!("did you mean {name}?"),
            None => keys.join(", "),
        };
        self.refuse(Problem::new(at.key(key).path(), message).allowed(allowed).line(line));
    }

    /// A text; empty when absent.
    pub(super) fn text(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> String {
        match node {
            None => String::new(),
            Some(Node { value: NodeValue::String(text), .. }) => text.into_owned(),
            Some(node) => {
                let quoted = match &node.value {
                    NodeValue::Number(number) => format!("a text in quotes, such as \"{number}\""),
                    NodeValue::Bool(_) => "a text; put yes, no, on, off, true and false in quotes".to_owned(),
                    _ => "a text".to_owned(),
                };
                self.wrong_kind(&node, at, &quoted);
                String::new()
            }
        }
    }

    /// The items of a list; none when absent.
    pub(super) fn list<'t>(&mut self, node: Option<Node<'t>>, at: &At<'_>, what: &str) -> Vec<Node<'t>> {
        match node {
            None => Vec::new(),
            Some(Node { value: NodeValue::List(items), .. }) => items,
            Some(node) => {
                self.wrong_kind(&node, at, &format!("a list of {what}"));
                Vec::new()
            }
        }
    }

    /// A list of texts; a null item is an empty text, as in Go.
    pub(super) fn texts(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> Vec<String> {
        let items = self.list(node, at, "texts");
        let texts = items.into_iter().enumerate();
        texts
            .map(|(index, item)| self.text(Some(item).filter(|item| !item.is_null()), &at.index(index)))
            .collect()
    }

    /// Names and values; none when absent.
    pub(super) fn text_map(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> StringMap {
        let mut map = StringMap::new();
        let entries = match node {
            None => return map,
            Some(Node { value: NodeValue::Object(entries), .. }) => entries,
            Some(node) => {
                self.wrong_kind(&node, at, "an object of names and texts");
                return map;
            }
        };
        for (key, value) in entries {
            let (line, here) = (value.line, at.key(&key));
            let text = self.text(Some(value).filter(|value| !value.is_null()), &here);
            if map.insert(key.clone().into_owned(), text).is_some() {
                self.refuse(
                    Problem::new(here.path(), "the name is given twice").allowed("each name once").line(line),
                );
            }
        }
        map
    }

    /// A whole number in a range; nothing when absent or refused.
    pub(super) fn integer(&mut self, node: Option<Node<'_>>, at: &At<'_>, range: (i64, i64)) -> Option<i64> {
        let node = node?;
        if let NodeValue::Number(number) = &node.value
            && let Some(value) = whole(number)
            && (range.0..=range.1).contains(&value)
        {
            return Some(value);
        }
        let allowed = match range {
            (i64::MIN, i64::MAX) => "a whole number".to_owned(),
            (low, high) => format!("a whole number from {low} to {high}"),
        };
        self.wrong_kind(&node, at, &allowed);
        None
    }

    /// One of the names of a table, compared exactly or in any case.
    pub(super) fn name<T: Copy + Default>(
        &mut self,
        node: Option<Node<'_>>,
        at: &At<'_>,
        table: &[(T, &'static str)],
        any_case: bool,
        what: &str,
    ) -> T {
        let Some(node) = node else { return T::default() };
        let line = node.line;
        let problems = self.problems.len();
        let text = self.text(Some(node), at);
        if self.problems.len() > problems {
            return T::default();
        }
        let wanted = text.trim();
        let found =
            table.iter().find(|(_, name)| *name == wanted || (any_case && name.eq_ignore_ascii_case(wanted)));
        if let Some((value, _)) = found {
            return *value;
        }
        if wanted.is_empty() && any_case {
            return T::default();
        }
        let names: Vec<&str> = table.iter().map(|(_, name)| *name).collect();
        let problem =
            Problem::new(at.path(), format!("invalid {what}: {}", quote(&text))).allowed(names.join(", "));
        self.refuse(problem.found(quote(&text)).line(line));
        T::default()
    }

    /// A free JSON value, refused where a key repeats.
    pub(super) fn free_value(&mut self, node: Node<'_>, at: &At<'_>) -> Value {
        self.check_repeats(&node, at);
        node.into_value()
    }

    fn check_repeats(&mut self, node: &Node<'_>, at: &At<'_>) {
        match &node.value {
            NodeValue::Object(entries) => {
                let mut seen = std::collections::HashSet::with_capacity(entries.len());
                for (key, value) in entries {
                    let here = at.key(key);
                    if !seen.insert(key) {
                        self.refuse(Problem::new(here.path(), "the field is given twice").line(value.line));
                    }
                    self.check_repeats(value, &here);
                }
            }
            NodeValue::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.check_repeats(item, &at.index(index));
                }
            }
            NodeValue::Null | NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::String(_) => {}
        }
    }
}

/// The whole number that a JSON number is, `1e3` and `2.0` included.
fn whole(number: &serde_json::Number) -> Option<i64> {
    if let Some(value) = number.as_i64() {
        return Some(value);
    }
    let float = number.as_f64()?;
    #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    (float.fract() == 0.0 && float.abs() < 9.0e15).then_some(float as i64)
}
