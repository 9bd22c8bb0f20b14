//! Writing to stdout and stderr, which may be closed, full or a terminal.

use std::io::{self, IsTerminal as _, Write};

use serde_json::{Value, json};

use crate::problem::Problem;

/// Writes all of this to stdout. A reader that went away has seen enough: that is no error.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Problem> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Problem::failed(format!("writing to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line to stdout.
pub(crate) fn line(text: &str) -> Result<(), Problem> {
    bytes(format!("{text}\n").as_bytes())
}

/// Writes a value to stdout as indented JSON.
pub(crate) fn json(value: &Value) -> Result<(), Problem> {
    line(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// Writes a line to stderr. Where that is closed, nobody wants to know.
pub(crate) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says what a command failed with: on stderr, or as an object on stdout.
pub(crate) fn problem(problem: &Problem, as_json: bool) {
    if as_json {
        let written = json(&json!({ "error": problem.to_value() }));
        if written.is_ok() {
            return;
        }
    }
    let (bold, plain) = if colours() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    say(&format!("{bold}error:{plain} {problem}"));
    if let Some(hint) = &problem.hint {
        say(&format!("hint: {hint}"));
    }
}

/// Whether stderr may carry colours: a terminal, and nobody said no (<https://no-color.org>).
pub(crate) fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Rows of text in columns, two blanks between them, without blanks at the ends of lines.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    use std::fmt::Write as _;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A text of a program or file, with control characters shown instead of obeyed by the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let text = table(&[row(["a", "bb", "c"]), row(["aaa", "b", ""])]);
        assert_eq!(text, "a    bb  c\naaa  b\n");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[31mé\n"), "a\\u{1b}[31mé\\n");
    }
}
