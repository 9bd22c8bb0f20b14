//! What the source must keep to.

use std::path::Path;

/// Lines of one file of a command.
const COMMAND_LINES_MAX: usize = 200;

fn sources(folder: &Path, to: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, to);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            to.push(path);
        }
    }
}

#[test]
fn every_command_is_a_short_file() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands"), &mut files);
    assert!(files.len() > 15);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        assert!(code.lines().count() < COMMAND_LINES_MAX, "{}", file.display());
    }
}

#[test]
fn nothing_prints_past_a_closed_stdout() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in ["print!(", "println!(", "process::exit"] {
            assert!(!text.contains(word), "{} uses {word}", file.display());
        }
    }
}
