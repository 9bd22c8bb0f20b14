//! Receipts: verified against results and re-runs, and compared.

use frogfish_fixtures::guests;
use serde_json::json;

use crate::support::Home;

/// A home with a word count in `got` and its receipt beside it.
fn counted(flags: &[&str]) -> Home {
    let home = Home::new();
    home.write("text/a.txt", "one two\nthree");
    let mut all = vec!["-i", "text:/in", "-o", "out:/out", "--out", "got"];
    all.extend(flags);
    let ran = home.wasm(&all, guests::WORDCOUNT, &[]);
    assert_eq!(ran.status, 0, "{ran:?}");
    home
}

#[test]
fn a_receipt_matches_its_results_and_not_others() {
    let home = counted(&[]);
    let ran = home.run(["verify", "got.receipt.json"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("match\n") && ran.stdout.contains("results agree"), "{ran:?}");
    home.write("got/out/counts.txt", "forged");
    let ran = home.run(["verify", "got.receipt.json", "--json"]);
    assert_eq!((ran.status, &ran.json()["verdict"]), (1, &json!("mismatch")));
}

#[test]
fn a_receipt_with_nothing_beside_it_is_undecided() {
    let home = counted(&[]);
    std::fs::rename(home.path("got.receipt.json"), home.path("alone.json")).unwrap();
    let ran = home.run(["verify", "alone.json"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.stdout.starts_with("undecided\n") && ran.stdout.contains("--results"), "{ran:?}");
    assert_eq!(home.run(["verify", "alone.json", "--results", "got"]).status, 0);
    assert_eq!(home.run(["verify", "alone.json", "--results", "nowhere"]).status, 64);
}

#[test]
fn the_receipt_in_an_execution_s_folder_finds_its_results() {
    let home = Home::new();
    let ran = home.wasm(&["--json"], guests::NOOP, &[]).json();
    assert_eq!(home.run(["verify", ran["receipt"].as_str().unwrap()]).status, 0);
}

#[test]
fn results_that_out_moved_away_do_not_speak_against_their_receipt() {
    let home = counted(&[]);
    let seen = home.ps(&["--all"]);
    let described = home.run(["describe", "--json", seen[0]["execution_id"].as_str().unwrap()]).json();
    assert_eq!(described["results"], serde_json::Value::Null);
    let receipt = described["receipt"].as_str().unwrap();
    assert_eq!(home.run(["verify", receipt]).status, 2);
    assert_eq!(home.run(["verify", receipt, "--results", "got"]).status, 0);
}

#[test]
fn a_deterministic_run_is_confirmed_by_re_runs_which_leave_nothing() {
    let home = counted(&["--deterministic"]);
    let before = home.ps(&["--all"]).len();
    let ran = home.run(["verify", "got.receipt.json", "--rerun", "2", "--json"]);
    let object = ran.json();
    assert_eq!((ran.status, &object["verdict"]), (0, &json!("match")), "{ran:?}");
    let reruns = object["basis"].as_array().unwrap().iter().find(|basis| basis["basis"] == "reruns");
    assert_eq!(reruns.unwrap()["count"], 2);
    assert_eq!(home.ps(&["--all"]).len(), before);
}

#[test]
fn inputs_that_changed_or_moved_are_never_run_unless_they_are_found_again() {
    let home = counted(&["--deterministic"]);
    std::fs::create_dir(home.path("elsewhere")).unwrap();
    std::fs::rename(home.path("text"), home.path("elsewhere/in")).unwrap();
    let module = home.guest(guests::WORDCOUNT);
    std::fs::copy(&module, home.path("elsewhere/wordcount.wasm")).unwrap();
    let ran = home.run(["verify", "got.receipt.json", "--rerun", "1"]);
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.stdout.contains("not re-run") && ran.stdout.contains("/in"), "{ran:?}");
    let ran = home.run(["verify", "got.receipt.json", "--rerun", "1", "--inputs", "elsewhere"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    home.write("elsewhere/in/a.txt", "other words");
    let ran = home.run(["verify", "got.receipt.json", "--rerun", "1", "--inputs", "elsewhere"]);
    assert_eq!(ran.status, 2, "{ran:?}");
}

#[test]
fn a_forged_result_is_found_by_a_re_run_alone() {
    let home = counted(&["--deterministic"]);
    let text = std::fs::read_to_string(home.path("got.receipt.json")).unwrap();
    let mut receipt: serde_json::Value = serde_json::from_str(&text).unwrap();
    receipt["claim"]["outcome"]["exit_code"] = json!(7);
    home.write("forged.json", receipt.to_string());
    let ran = home.run(["verify", "forged.json", "--rerun", "1"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    assert!(ran.stdout.contains("re-run differs"), "{ran:?}");
}

#[test]
fn what_is_no_receipt_is_wrong_usage() {
    let home = Home::new();
    for (name, content) in [("text", "hello"), ("empty", ""), ("other", "{}"), ("deep", &"[".repeat(10_000))]
    {
        home.write(name, content);
        let ran = home.run(["verify", name]);
        assert_eq!((ran.status, ran.stdout.as_str()), (64, ""), "{name}: {ran:?}");
    }
}

#[test]
fn receipts_are_compared_claims_first() {
    let home = counted(&["--deterministic"]);
    std::fs::rename(home.path("got"), home.path("first")).unwrap();
    std::fs::rename(home.path("got.receipt.json"), home.path("first.receipt.json")).unwrap();
    let flags = ["-i", "text:/in", "-o", "out:/out", "--out", "got", "--deterministic"];
    home.wasm(&flags, guests::WORDCOUNT, &[]);
    let same = home.run(["diff", "first.receipt.json", "got.receipt.json"]);
    assert_eq!((same.status, same.stdout.as_str()), (0, ""), "{same:?}");
    assert_eq!(home.run(["diff", "first", "got.receipt.json"]).status, 0);
    home.write("text/a.txt", "four words are here");
    std::fs::remove_dir_all(home.path("got")).unwrap();
    home.wasm(&flags, guests::WORDCOUNT, &[]);
    let ran = home.run(["diff", "first.receipt.json", "got.receipt.json"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("claim"), "{ran:?}");
    assert!(ran.stdout.contains("inputs[1].content") && ran.stdout.contains("out/counts.txt"), "{ran:?}");
    // Without the folder, the receipt's digests are enough.
    std::fs::remove_dir_all(home.path("got")).unwrap();
    assert_eq!(home.run(["diff", "first", "got.receipt.json"]).status, 1);
}

#[test]
fn receipts_fit_the_schema_that_schema_prints() {
    let home = counted(&["--deterministic"]);
    let schema = jsonschema::validator_for(&home.run(["schema", "receipt"]).json()).unwrap();
    let text = std::fs::read_to_string(home.path("got.receipt.json")).unwrap();
    let receipt: serde_json::Value = serde_json::from_str(&text).unwrap();
    schema.validate(&receipt).unwrap_or_else(|error| panic!("{error}"));
}
