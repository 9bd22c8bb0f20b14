//! The child's end of the line protocol, for the peers that are written in Rust.

use std::io::{BufRead, Read, Write};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Case, Peer, Run};
use crate::error::Error;

/// Names of the peers inside this binary.
pub(crate) const NAMES: &[&str] = &["frogfish", "wasmtime-loop"];
/// Longest request line.
const REQUEST_BYTES_MAX: u64 = 1 << 20;

#[derive(Deserialize)]
struct Request {
    hello: Option<u32>,
    prepare: Option<Case>,
    #[serde(flatten)]
    run: Option<Run>,
}

/// Answers requests until the input ends.
pub(crate) fn serve(
    peer: &mut dyn Peer,
    mut input: impl BufRead,
    mut output: impl Write,
) -> Result<(), Error> {
    let mut line = String::new();
    loop {
        line.clear();
        let read = (&mut input).take(REQUEST_BYTES_MAX).read_line(&mut line);
        if read.map_err(Error::io("read", Path::new("stdin")))? == 0 {
            return Ok(());
        }
        let answer = answer(peer, &line).unwrap_or_else(|error| json!({ "error": error.to_string() }));
        writeln!(output, "{answer}").and_then(|()| output.flush()).map_err(Error::io("write", "stdout"))?;
    }
}

fn answer(peer: &mut dyn Peer, line: &str) -> Result<Value, Error> {
    let not_understood =
        |error: serde_json::Error| Error::Usage(format!("request is not understood: {error}"));
    let request: Request = serde_json::from_str(line).map_err(not_understood)?;
    match request {
        Request { hello: Some(_), .. } => Ok(json!(peer.about())),
        Request { prepare: Some(case), .. } => peer.prepare(&case).map(|()| json!({})),
        Request { run: Some(run), .. } => peer.run_once(&run).map(|measured| json!(measured)),
        _ => Err(Error::Usage("request has none of hello, prepare, run".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::About;
    use super::*;
    use crate::sample::Measured;

    struct Counting(u64);

    impl Peer for Counting {
        fn name(&self) -> &'static str {
            "counting"
        }
        fn about(&self) -> About {
            About { version: "7".to_owned(), ..About::default() }
        }
        fn prepare(&mut self, case: &Case) -> Result<(), Error> {
            self.0 = u64::from(case.jobs);
            Ok(())
        }
        fn run_once(&mut self, run: &Run) -> Result<Measured, Error> {
            if run.run == 9 {
                return Err(Error::peer("counting", "nine"));
            }
            Ok(Measured { nanos: self.0 + run.run, ..Measured::default() })
        }
    }

    #[test]
    fn each_request_line_gets_one_answer_line_and_a_bad_one_an_error() {
        let case = r#"{"name":"n","kind":"wasm","work":"/w","cold":false,"args":[],"env":{},"jobs":5,"in_flight":1,"durability":"memory"}"#;
        let input = format!(
            "{{\"hello\":1}}\n{{\"prepare\":{case}}}\n{{\"run\":3}}\n{{\"run\":9}}\nnonsense\n{{}}\n"
        );
        let mut output = Vec::new();
        serve(&mut Counting(0), input.as_bytes(), &mut output).unwrap();
        let output = String::from_utf8(output).unwrap();
        let answers: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers[0]["version"], "7");
        assert_eq!(answers[2]["nanos"], 8);
        assert_eq!(answers[3]["error"], "peer counting: nine");
        assert!(answers[4]["error"].is_string() && answers[5]["error"].is_string());
        assert_eq!(answers.len(), 6);
    }
}
