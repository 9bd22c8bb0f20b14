//! A side that lives in a child process and times its own runs.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{About, Case, Peer, Run};
use crate::error::Error;
use crate::sample::Measured;

/// Version of the line protocol, sent in the first request.
pub(crate) const PROTOCOL: u32 = 1;
/// Longest answer line of a child.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// A child that answers each JSON request line with one JSON line.
pub(crate) struct Lines {
    name: String,
    argv: Vec<String>,
    running: Option<Running>,
    about: About,
}

struct Running {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Lines {
    /// Names the child; it starts in `prepare`, in the folder that its case gives it.
    pub(crate) fn start(name: &str, argv: &[String]) -> Result<Self, Error> {
        if argv.is_empty() {
            return Err(Error::peer(name, "the command line is empty"));
        }
        Ok(Self { name: name.to_owned(), argv: argv.to_vec(), running: None, about: About::default() })
    }

    fn ask<T: DeserializeOwned>(&mut self, request: &Value) -> Result<T, Error> {
        let running = self.running.as_mut().ok_or_else(|| Error::peer(&self.name, "run before prepare"))?;
        let asked = writeln!(running.requests, "{request}").and_then(|()| running.requests.flush());
        let mut line = String::new();
        let answered =
            asked.and_then(|()| (&mut running.answers).take(ANSWER_BYTES_MAX).read_line(&mut line));
        let answered =
            answered.map_err(|error| Error::peer(&self.name, format!("the child is gone: {error}")))?;
        if answered == 0 {
            return Err(Error::peer(&self.name, "the child ended without an answer; its stderr is above"));
        }
        let unreadable = |error: serde_json::Error| {
            let shown: String = line.chars().take(200).collect();
            Error::peer(&self.name, format!("answer {shown:?} to {request} is not understood: {error}"))
        };
        let answer: Value = serde_json::from_str(&line).map_err(unreadable)?;
        if let Some(error) = answer.get("error") {
            return Err(Error::peer(&self.name, error.as_str().unwrap_or("error without a text")));
        }
        serde_json::from_value(answer).map_err(unreadable)
    }
}

impl Peer for Lines {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> About {
        self.about.clone()
    }

    fn prepare(&mut self, case: &Case) -> Result<(), Error> {
        let mut child = Command::new(&self.argv[0])
            .args(&self.argv[1..])
            .env("TMPDIR", &case.work)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Error::peer(&self.name, format!("could not start {}: {error}", self.argv[0])))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::peer(&self.name, "the child has no pipes"));
        };
        self.running = Some(Running { child, requests, answers: BufReader::new(answers) });
        self.about = self.ask(&json!({ "hello": PROTOCOL }))?;
        let _: Value = self.ask(&json!({ "prepare": case }))?;
        Ok(())
    }

    fn run_once(&mut self, run: &Run) -> Result<Measured, Error> {
        self.ask(&json!(run))
    }

    fn process(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A child that ignores the end of its stdin must not outlive its case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
