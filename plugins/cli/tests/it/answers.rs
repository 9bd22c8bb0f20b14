//! Commands that run nothing: validate, hash, diff, schema, config, completions, man.

use frogfish_fixtures::files;
use serde_json::Value;

use crate::support::{Home, names};

fn table(folder: &std::path::Path) -> serde_json::Map<String, Value> {
    let text = std::fs::read(folder.join("expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn every_bad_job_is_refused_with_the_field_that_is_wrong() {
    let home = Home::new();
    for (name, field) in table(&files::bad_jobs()) {
        let ran = home.run(["validate".as_ref(), files::bad_jobs().join(&name).as_os_str()]);
        assert_eq!((ran.status, ran.stdout.as_str()), (126, ""), "{name}: {ran:?}");
        assert!(ran.stderr.contains(&name), "{name}: {ran:?}");
        let field = field.as_str().unwrap();
        let named = ran.stderr.lines().any(|line| line.trim_start().starts_with(field));
        assert!(field == "syntax" || named, "{name}: {field}: {ran:?}");
    }
}

#[test]
fn a_bad_job_is_refused_by_run_in_the_same_words() {
    let home = Home::new();
    let file = files::bad_jobs().join("tasks-two.yaml");
    let (run, validate) = (["run", file.to_str().unwrap()], ["validate", file.to_str().unwrap()]);
    assert_eq!(home.run(run).stderr, home.run(validate).stderr);
    let object = home.run(["run", "--json", file.to_str().unwrap()]).json();
    assert_eq!(
        (&object["reason_code"], &object["error"]["kind"]),
        (&"SpecError".into(), &"SpecError".into())
    );
}

#[test]
fn every_good_job_validates_to_itself() {
    let home = Home::new();
    for name in table(&files::good_jobs()).keys() {
        let ran = home.run(["validate".as_ref(), files::good_jobs().join(name).as_os_str()]);
        assert_eq!(ran.status, 0, "{name}: {ran:?}");
        let again = home.write("again.json", &ran.stdout);
        assert_eq!(home.run(["validate".as_ref(), again.as_os_str()]).stdout, ran.stdout, "{name}");
    }
}

#[test]
fn what_validate_prints_fits_the_schema_that_schema_prints() {
    let home = Home::new();
    let schema = jsonschema::validator_for(&home.run(["schema", "job"]).json()).unwrap();
    for name in names(&files::example_jobs()) {
        let job = home.run(["validate".as_ref(), files::example_jobs().join(&name).as_os_str()]).json();
        schema.validate(&job).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for name in ["receipt", "config"] {
        jsonschema::validator_for(&home.run(["schema", name]).json()).unwrap();
    }
}

#[test]
fn hash_gives_kubos_cid_in_each_profile() {
    let home = Home::new();
    home.write("hello", "hello\n");
    let known = "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN";
    assert_eq!(home.run(["hash", "hello"]).stdout, format!("{known}\n"));
    assert!(home.run(["hash", "hello", "--profile", "unixfs-v1-2025"]).stdout.starts_with("baf"));
    home.write("folder/.hidden", "");
    home.write("folder/seen", "12345");
    let ran = home.run(["hash", "folder"]);
    assert!(ran.stderr.contains(".hidden"), "{ran:?}");
    let object = home.run(["hash", "folder", "--json"]).json();
    assert_eq!(
        (&object["bytes"], &object["files"], &object["hidden_count"]),
        (&5.into(), &1.into(), &1.into())
    );
    assert_eq!(object["cid"], ran.stdout.trim_end());
    assert!(object["path"].as_str().unwrap().starts_with('/'));
}

#[test]
fn hash_names_what_it_could_not_read_in_json_too() {
    let home = Home::new();
    let ran = home.run(["hash", "--json", "/nowhere"]);
    assert_eq!(ran.status, 64);
    assert!(ran.json()["error"]["message"].as_str().unwrap().contains("/nowhere"), "{ran:?}");
}

#[test]
fn names_that_are_not_utf_8_are_hashed_and_shown() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::new();
    let path = home.path("x").with_file_name(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    std::fs::write(&path, "12345").unwrap();
    let ran = home.run(["hash".as_ref(), "--json".as_ref(), path.as_os_str()]);
    assert_eq!((ran.status, &ran.json()["bytes"]), (0, &5.into()), "{ran:?}");
    let ran = home.run(["validate".as_ref(), path.as_os_str()]);
    assert_eq!(ran.status, 126, "{ran:?}");
}

#[test]
fn diff_tells_same_from_different_and_names_the_byte() {
    let home = Home::new();
    home.write("a/file", "12345");
    home.write("b/file", "12x45");
    home.write("b/more", "");
    let same = home.run(["diff", "a", "a"]);
    assert_eq!((same.status, same.stdout.as_str()), (0, ""));
    let ran = home.run(["diff", "a", "b"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stdout.contains("byte 2") && ran.stdout.contains("+ more"), "{ran:?}");
    let object = home.run(["diff", "a", "b", "--json"]).json();
    assert_eq!(object["verdict"], "different");
    assert_eq!(object["results"]["differences"].as_array().unwrap().len(), 2);
    home.write("none", "{}");
    let ran = home.run(["diff", "a", "none"]);
    assert_eq!(ran.status, 64, "{ran:?}");
    assert!(ran.stderr.contains("no receipt"), "{ran:?}");
}

#[test]
fn settings_say_where_they_come_from() {
    let home = Home::new();
    let file = home.write("f.toml", "log = 'error'\nallow_paths = ['/a']\n[limits]\ninputs_max = 7\n");
    let flags = ["--config", file.to_str().unwrap(), "config", "show", "--origin"];
    let ran = home.run(flags);
    let line = |name: &str| {
        let found = ran.stdout.lines().find(|line| line.starts_with(&format!("{name} =")));
        found.unwrap_or_else(|| panic!("{name}: {ran:?}")).to_owned()
    };
    assert!(line("data_dir").ends_with("# FROGFISH_DATA_DIR"));
    assert!(line("log").contains("\"error\"") && line("log").ends_with("f.toml"));
    assert!(line("allow_paths").ends_with("f.toml"));
    assert!(line("durability").ends_with("# default"));
    assert!(line("inputs_max").contains('7') && line("inputs_max").ends_with("f.toml"));
    assert!(line("retention_s").ends_with("# default"));
    let ran = home.run(["--data-dir", "/x", "config", "show", "--origin"]);
    assert!(ran.stdout.starts_with("data_dir = \"/x\""), "{ran:?}");
    assert!(ran.stdout.lines().next().unwrap().ends_with("# --data-dir"), "{ran:?}");
}

#[test]
fn what_config_shows_is_a_settings_file() {
    let home = Home::new();
    let shown = home.run(["config", "show"]).stdout;
    let file = home.write("f.toml", &shown);
    assert_eq!(home.run(["--config", file.to_str().unwrap(), "config", "show"]).stdout, shown);
    let schema = jsonschema::validator_for(&home.run(["schema", "config"]).json()).unwrap();
    let value: Value = toml::from_str(&shown).unwrap();
    schema.validate(&value).unwrap();
}

#[test]
fn a_wrong_setting_is_64_with_the_nearest_name() {
    let home = Home::new();
    let file = home.write("f.toml", "data_dirr = '/x'");
    let ran = home.run(["--config", file.to_str().unwrap(), "config", "show"]);
    assert_eq!(ran.status, 64);
    assert!(ran.stderr.contains("did you mean data_dir?"), "{ran:?}");
    let ran = home.frogfish(["config", "show"]).env("FROGFISH_LOGG", "x").output().unwrap();
    assert_eq!(ran.status.code(), Some(64));
}

#[test]
fn help_versions_and_scripts_are_printed_without_a_data_folder() {
    let home = Home::new();
    assert_eq!(home.run(["--version"]).stdout, format!("frogfish {}\n", env!("CARGO_PKG_VERSION")));
    let help = home.run(["--help"]);
    assert_eq!(help.status, 0);
    assert!(help.stdout.contains("Exit status"), "{help:?}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = home.run(["completions", shell]);
        assert!(ran.status == 0 && ran.stdout.contains("frogfish"), "{shell}");
    }
    assert_eq!(home.run(["man", "pages/man1"]).status, 0);
    let pages = names(&home.path("pages/man1"));
    assert!(pages.contains(&"frogfish.1".to_owned()) && pages.contains(&"frogfish-wasm-run.1".to_owned()));
    assert!(!home.data().exists());
}

#[test]
fn a_full_stdout_is_an_error_and_a_closed_one_is_not() {
    let home = Home::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = home.frogfish(["schema", "job"]).stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(125));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = home.frogfish(["hash", "."]).stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(64));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = home.frogfish(["schema", "job"]).stdout(writer).output().unwrap();
    assert_eq!((ran.status.code(), ran.stderr.as_slice()), (Some(0), &b""[..]));
}
