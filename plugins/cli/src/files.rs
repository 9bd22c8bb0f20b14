//! Reading what a caller names, within bounds.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use frogfish::Limits;
use frogfish::spec::{Job, Source};

use crate::problem::Problem;

/// Reads a file, or stdin for `-`, of at most `bytes_max` bytes.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, Problem> {
    let failed = |error: io::Error| Problem::refused(format!("reading {}: {error}", shown(path)));
    let read: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(failed)?)
    };
    let mut bytes = Vec::new();
    read.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > bytes_max {
        return Err(Problem::refused(format!("{} is larger than {bytes_max} bytes", shown(path))));
    }
    Ok(bytes)
}

/// Reads a text file of at most `bytes_max` bytes.
pub(crate) fn read_text(path: &Path, bytes_max: u64) -> Result<String, Problem> {
    String::from_utf8(read(path, bytes_max)?)
        .map_err(|_| Problem::refused(format!("{} is not UTF-8 text", shown(path))))
}

/// Reads a job file, or a job on stdin for `-`.
pub(crate) fn read_job(path: &Path) -> Result<Job, Problem> {
    let bytes = read(path, Limits::default().job_bytes_max as u64)?;
    Job::from_slice(&bytes).map_err(|error| {
        let mut problem = Problem::from(error);
        problem.message = format!("the job in {} is invalid:\n{}", shown(path), indented(&problem.message));
        problem.with_hint("`frogfish schema job` prints what a job file may hold")
    })
}

/// Makes the local paths that a job names absolute, so that its record means the same wherever it is read.
pub(crate) fn make_sources_absolute(job: &mut Job) {
    for input in &mut job.task.input_sources {
        if let Source::Local(local) = &mut input.source
            && let Ok(absolute) = std::path::absolute(&local.source_path)
            && let Some(text) = absolute.to_str()
        {
            text.clone_into(&mut local.source_path);
        }
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// A path in JSON: bytes that are not UTF-8 are replaced.
pub(crate) fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

/// How a path of the command line is called in messages.
pub(crate) fn shown(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_limit_is_refused_and_one_at_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert!(error.message.contains("larger than 4 bytes"), "{error}");
        assert_eq!(error.status, crate::exit::REFUSED);
    }

    #[test]
    fn every_problem_of_a_job_stands_on_a_line_below_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("job.yaml");
        std::fs::write(&path, "Colour: red\nType: never\n").unwrap();
        let error = read_job(&path).unwrap_err();
        let lines: Vec<&str> = error.message.lines().collect();
        assert!(lines[0].contains("job.yaml"), "{error}");
        assert!(lines.len() > 2 && lines[1..].iter().all(|line| line.starts_with("  ")), "{error}");
    }
}
