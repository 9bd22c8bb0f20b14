//! A side that is one process per run, from start to exit.

use std::io::Read;
use std::path::PathBuf;
use std::process::{self, Stdio};
use std::time::Instant;

use super::{About, Case, Peer, Programs, Run, Settings};
use crate::error::Error;
use crate::sample::Measured;

/// Most bytes of a command's stdout that are kept for comparison; the rest is read and dropped.
const OUTPUT_BYTES_MAX: u64 = 64 << 10;

/// A command line with placeholders, started anew for every run.
pub(crate) struct Command {
    name: String,
    words: Vec<String>,
    /// Runs once, before the first run.
    before: Vec<String>,
    frogfish: PathBuf,
    case: Option<Case>,
    version: String,
}

impl Command {
    pub(crate) fn new(
        name: &str,
        line: &str,
        before: Option<&str>,
        programs: &Programs,
    ) -> Result<Self, Error> {
        let words = split_checked(name, line)?;
        let before = before.map_or(Ok(Vec::new()), |line| split_checked(name, line))?;
        let frogfish = programs.frogfish.clone();
        Ok(Self { name: name.to_owned(), words, before, frogfish, case: None, version: String::new() })
    }

    /// Words with their placeholders filled for one run.
    fn fill(&self, words: &[String], case: &Case, run: &Run) -> Result<Vec<String>, Error> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let value = |key: &str| match key {
            "frogfish" => Some(self.frogfish.display().to_string()),
            "module" => path(&run.module).or_else(|| path(&case.module)),
            "input" => path(&case.input),
            "work" => Some(case.work.display().to_string()),
            "out" => Some(case.work.join(format!("out-{}", run.run)).display().to_string()),
            "run" => Some(run.run.to_string()),
            _ => None,
        };
        let filled: Result<Vec<_>, String> = words.iter().map(|word| fill(word, value)).collect();
        filled.map_err(|message| Error::peer(&self.name, message))
    }

    /// The process of one run, not yet started, and its words for messages.
    fn process(&self, words: &[String], case: &Case, run: &Run) -> Result<(process::Command, String), Error> {
        let argv = self.fill(words, case, run)?;
        let values: Vec<String> = case.env.values().cloned().collect();
        let mut process = process::Command::new(&argv[0]);
        process.args(&argv[1..]).envs(case.env.keys().zip(self.fill(&values, case, run)?));
        process.env("TMPDIR", &case.work).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        Ok((process, argv.join(" ")))
    }
}

impl Peer for Command {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> About {
        let settings = [
            ("process", "one per run, start and exit counted".to_owned()),
            ("command", self.words.join(" ")),
        ];
        let settings: Settings = settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        About { version: self.version.clone(), settings }
    }

    fn prepare(&mut self, case: &Case) -> Result<(), Error> {
        let first = Run { run: 0, module: case.module.clone() };
        self.version = version_of(&self.fill(&self.words, case, &first)?[0]);
        if !self.before.is_empty() {
            let (mut process, shown) = self.process(&self.before, case, &first)?;
            let ended =
                process.output().map_err(|error| Error::peer(&self.name, format!("{shown}: {error}")))?;
            if !ended.status.success() {
                return Err(Error::peer(&self.name, format!("{shown} ended with {}", ended.status)));
            }
        }
        self.case = Some(case.clone());
        Ok(())
    }

    fn run_once(&mut self, run: &Run) -> Result<Measured, Error> {
        let case = self.case.as_ref().ok_or_else(|| Error::peer(&self.name, "run before prepare"))?;
        let (mut process, shown) = self.process(&self.words, case, run)?;
        let failed = |error: std::io::Error| Error::peer(&self.name, format!("{shown}: {error}"));

        let began = Instant::now();
        let mut child = process.spawn().map_err(failed)?;
        let mut output = Vec::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.by_ref().take(OUTPUT_BYTES_MAX).read_to_end(&mut output).map_err(failed)?;
            std::io::copy(&mut stdout, &mut std::io::sink()).map_err(failed)?;
        }
        let status = child.wait().map_err(failed)?;
        let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);

        if !status.success() {
            return Err(Error::peer(&self.name, format!("{shown} ended with {status}")));
        }
        let _ = std::fs::remove_dir_all(case.work.join(format!("out-{}", run.run)));
        let output = Some(String::from_utf8_lossy(&output).trim().to_owned());
        Ok(Measured { nanos, output, ..Measured::default() })
    }
}

/// The first line that `PROGRAM --version` prints, or an empty text.
fn version_of(program: &str) -> String {
    let shown = process::Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let text = shown.ok().filter(|shown| shown.status.success()).map(|shown| shown.stdout);
    let text = String::from_utf8(text.unwrap_or_default()).unwrap_or_default();
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}

/// Replaces `{key}` by its value; braces around anything else stay.
fn fill(word: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    const KEYS: [&str; 6] = ["frogfish", "module", "input", "work", "out", "run"];
    let mut filled = word.to_owned();
    for key in KEYS {
        let placeholder = format!("{{{key}}}");
        if filled.contains(&placeholder) {
            let value = value(key).ok_or_else(|| format!("the scenario has no {key} for {placeholder}"))?;
            filled = filled.replace(&placeholder, &value);
        }
    }
    Ok(filled)
}

/// Splits a command line into words; single and double quotes group, nothing else is special.
pub(crate) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(open) = quote {
        return Err(format!("quote {open} is not closed in {line:?}"));
    }
    words.extend(word);
    Ok(words)
}

/// As [`split`], with the peer named and an empty line refused.
pub(crate) fn split_checked(peer: &str, line: &str) -> Result<Vec<String>, Error> {
    match split(line) {
        Ok(words) if words.is_empty() => Err(Error::peer(peer, "the command line is empty")),
        Ok(words) => Ok(words),
        Err(message) => Err(Error::peer(peer, message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_group_words_and_nothing_else_is_special() {
        assert_eq!(split("sh -c 'a  b' \"c d\"e ''").unwrap(), ["sh", "-c", "a  b", "c de", ""]);
        assert_eq!(split("echo $HOME | cat").unwrap(), ["echo", "$HOME", "|", "cat"]);
        assert!(split("'open").is_err());
    }

    #[test]
    fn a_placeholder_without_a_value_is_an_error_and_a_path_with_spaces_stays_one_word() {
        let value = |key: &str| (key == "input").then(|| "/a b".to_owned());
        assert_eq!(fill("--in={input}", value).unwrap(), "--in=/a b");
        assert_eq!(fill("{other} {}", value).unwrap(), "{other} {}");
        assert!(fill("{module}", value).unwrap_err().contains("module"));
    }
}
