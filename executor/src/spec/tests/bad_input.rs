use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::{good, read, wasm_job};
use crate::spec::{Job, ReadOptions};

/// The one problem that a whole file has; the time it took is bounded.
fn refused(bytes: &[u8]) -> String {
    let start = Instant::now();
    let error = Job::from_slice(bytes).expect_err("the file is wrong");
    // Hundreds of times what it takes, so that a loaded machine does not matter, and far from what an explosion takes.
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    error.to_string()
}

#[test]
fn a_file_over_the_limit_is_refused_before_it_is_read() {
    let error = refused(&vec![b' '; 32 * 1024 * 1024 + 1]);
    assert!(error.contains("too large") && error.contains("bytes_max"), "{error}");
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_its_place() {
    let error = refused(b"Name: \xff\xfe");
    assert!(error.contains("not UTF-8 at byte 6"), "{error}");
}

#[test]
fn nesting_beyond_the_limit_is_refused_in_both_formats() {
    for depth in [100, 100_000, 5_000_000] {
        for open in ["[", "{\"a\":", "{a: ", "- "] {
            let error = refused(open.repeat(depth).as_bytes());
            assert!(
                error.contains("nested too deeply") || error.contains("neither YAML nor JSON"),
                "{open}: {error}"
            );
        }
    }
    let mut lines = String::new();
    for depth in 0..500 {
        lines.push_str(&" ".repeat(depth));
        lines.push_str("a:\n");
    }
    assert!(refused(lines.as_bytes()).contains("nested too deeply"));
}

#[test]
fn aliases_that_explode_are_refused() {
    let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for level in 1..30 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 10].join(",");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    assert!(refused(text.as_bytes()).contains("nodes_max"));

    let big = "x".repeat(1024 * 1024);
    let text = format!("a: &a '{big}'\nb: [{}]\n", vec!["*a"; 1000].join(","));
    assert!(refused(text.as_bytes()).contains("bytes_max"));

    let mut deep = String::from("a0: &a0 [x]\n");
    for level in 1..200 {
        writeln!(deep, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert!(refused(deep.as_bytes()).contains("nested too deeply"));

    let merges = vec!["<<: *a"; 20_000].join("\n");
    refused(format!("a: &a {{b: 1}}\n{merges}\n").as_bytes());
    refused(b"a: &a [*a]");
    refused(b"a: *nowhere");
}

#[test]
fn too_many_values_are_refused_in_both_formats() {
    let items = vec!["1"; 200_000].join(",");
    assert!(refused(format!("{{\"a\": [{items}]}}").as_bytes()).contains("nodes_max"));
    assert!(refused(format!("a: [{items}]").as_bytes()).contains("nodes_max"));
}

#[test]
fn many_problems_are_counted_not_listed() {
    let keys: Vec<String> = (0..5_000).map(|index| format!("zzz{index}: 1")).collect();
    let keys = keys.join("\n");
    let error = read(&keys).unwrap_err();
    assert_eq!(error.problems.len(), 101);
    assert!(error.problems[100].message.contains("problems more"), "{error}");
}

#[test]
fn long_and_odd_texts_are_shortened_in_errors() {
    let long = "z".repeat(1_000_000);
    assert!(refused(format!("{long}: 1").as_bytes()).len() < 2_000);
    assert!(refused(wasm_job("").replace("batch", &long).as_bytes()).len() < 2_000);
    let error = refused(wasm_job("    Env: {\"A\\u001b[31m\": x}\n").as_bytes());
    assert!(!error.contains('\u{1b}'), "{error:?}");
}

#[test]
fn files_that_hold_no_job_are_refused() {
    for text in ["", "---\n", "5", "[]", "null", "text", "\u{feff}", "# only a comment"] {
        assert!(refused(text.as_bytes()).contains("holds no job"), "{text:?}");
    }
    for text in
        ["{", "a: b: c", "\"", "a: [", "\t- x", "%YAML", "{\"a\": 1} x", "a: .nan", "a: .inf", "? [x]\n: y"]
    {
        refused(text.as_bytes());
    }
}

#[test]
fn a_second_document_is_refused_and_an_empty_one_is_not() {
    assert!(refused(format!("{}---\nName: b\n", wasm_job("")).as_bytes()).contains("second document"));
    good(&format!("---\n{}...\n", wasm_job("")));
    good(&format!("{}---\n", wasm_job("")));
}

#[test]
fn a_megabyte_of_inline_data_is_read() {
    let data = "QUJD".repeat(3 * 1024 * 1024);
    let text = wasm_job(&format!(
        "    InputSources: [{{Source: {{Type: inline, Params: {{URL: 'data:;base64,{data}'}}}}, Target: /d}}]\n"
    ));
    assert_eq!(good(&text).task.input_sources.len(), 1);
}

#[test]
fn limits_are_the_callers_to_set() {
    let mut options = ReadOptions::job_file();
    options.limits.depth_max = 2;
    assert!(options.read(wasm_job("").as_bytes()).unwrap_err().to_string().contains("2 levels (depth_max)"));
    let value = good(&wasm_job("")).to_value();
    assert!(options.read_value(&value).is_err());
}

#[test]
fn very_many_wrong_items_are_refused_in_bounded_time() {
    let nulls = vec!["null"; 45_000].join(",");
    let empty = vec!["{}"; 45_000].join(",");
    for (inputs, outputs) in [(&nulls, &nulls), (&empty, &empty)] {
        let lists = format!("    InputSources: [{inputs}]\n    ResultPaths: [{outputs}]\n");
        refused(wasm_job(&lists).as_bytes());
    }
    let input = "{Source: {Type: ipfs, Params: {CID: x}}, Target: ";
    let inputs: Vec<String> = (0..9_000).map(|index| format!("{input}/in{index}}}")).collect();
    let outputs: Vec<String> =
        (0..9_000).map(|index| format!("{{Name: o{index}, Path: /in{index}}}")).collect();
    let lists =
        format!("    InputSources: [{}]\n    ResultPaths: [{}]\n", inputs.join(","), outputs.join(","));
    let error = refused(wasm_job(&lists).as_bytes());
    assert!(error.contains("conflicts with input target"), "{error}");
    let key = "k".repeat(60);
    let keys: Vec<String> = (0..90_000).map(|index| format!("{key}{index}: 1")).collect();
    refused(keys.join("\n").as_bytes());
}
