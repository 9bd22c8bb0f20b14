//! What is wrong with a job, field by field.

use std::fmt;

/// One thing that is wrong with a job: where, what, what was there, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The field as a path (`Tasks[0].Engine.Params.EntryModule`); empty when it is the file as a whole.
    pub field: String,
    /// What is wrong, in Bacalhau's words where it has some.
    pub message: String,
    /// What was there, shortened; empty when nothing was.
    pub found: String,
    /// What is allowed in its place; empty when the message says it.
    pub allowed: String,
    /// The line of the file, counted from 1; 0 when it is not known.
    pub line: u32,
}

impl Problem {
    /// A problem at a field, with neither found nor allowed value yet.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
            found: String::new(),
            allowed: String::new(),
            line: 0,
        }
    }

    /// Adds what was there.
    #[must_use]
    pub fn found(mut self, found: impl fmt::Display) -> Self {
        self.found = found.to_string();
        self
    }

    /// Adds what is allowed.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = allowed.into();
        self
    }

    pub(super) fn line(mut self, line: u32) -> Self {
        self.line = line;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)?;
        if !self.found.is_empty() {
            write!(f, "; found {}", self.found)?;
        }
        if !self.allowed.is_empty() {
            write!(f, "; allowed: {}", self.allowed)?;
        }
        if self.line > 0 {
            write!(f, " (line {})", self.line)?;
        }
        Ok(())
    }
}

/// A job that cannot be accepted, with everything that is wrong with it.
///
/// `Display` prints one problem on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpecError {
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

impl SpecError {
    pub(super) fn one(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl From<Problem> for SpecError {
    fn from(problem: Problem) -> Self {
        Self::one(problem)
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecError {}

/// Quotes a text from outside for an error: control characters escaped, at most 60 characters.
pub(super) fn quote(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// The name among `known` that `given` probably stands for.
pub(super) fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    // Names are short; a long text is no misspelling of one, and costs nothing.
    if given.len() > 64 {
        return None;
    }
    let given = given.to_lowercase();
    let distances = known.iter().map(|name| (edit_distance(&given, &name.to_lowercase()), *name));
    let (distance, name) = distances.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + name.len() / 3).then_some(name)
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let cost = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = cost.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
