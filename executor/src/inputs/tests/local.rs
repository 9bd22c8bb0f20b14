use super::*;
use crate::spec::{CreateAs, Job, LocalSource, SpecError};
use proptest::prelude::*;
use std::os::unix::fs::symlink;

struct Host {
    dir: TempDir,
}

impl Host {
    /// A host with `data/file`, `data/sub/deep`, `other/file` below a canonical folder.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for path in ["data/file", "data/sub/deep", "other/file"] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        Self { dir }
    }

    fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.dir.path().canonicalize().unwrap().display())
    }

    fn allowing(&self, patterns: &[&str]) -> LocalInputs {
        LocalInputs::new(patterns.iter().map(|pattern| {
            let pattern = if pattern.starts_with('*') { (*pattern).to_owned() } else { self.path(pattern) };
            pattern.parse().unwrap()
        }))
    }
}

fn local(path: &str, read_write: bool, create_as: CreateAs) -> Input {
    let mut source = LocalSource::default();
    (source.source_path, source.read_write, source.create_as) = (path.to_owned(), read_write, create_as);
    input(Source::Local(source), "/in")
}

fn reading(path: &str) -> Input {
    local(path, false, CreateAs::NoCreate)
}

async fn both(inputs: &LocalInputs, input: &Input) -> Result<Prepared, Failure> {
    let context = InputContext::default();
    let checked = inputs.check(input, &context).await;
    let place = InputPlace::new(Path::new("/nowhere"), 0);
    let prepared = inputs.prepare(input, &context, &place).await;
    if let Ok(size) = &checked {
        assert_eq!(*size, InputSize { bytes: 0, is_here: true });
    }
    if let (Err(checked), Err(prepared)) = (&checked, &prepared) {
        assert_eq!(checked, prepared);
    }
    assert!(checked.is_ok() || prepared.is_err());
    prepared
}

#[tokio::test]
async fn i_loc_01_the_source_is_installed_if_anything_is_allowed() {
    let with = |patterns: &[&str]| LocalInputs::new(patterns.iter().map(|p| p.parse().unwrap()));
    assert!(with(&["/one"]).is_installed().await);
    assert!(with(&[".*"]).is_installed().await);
    assert!(with(&["/one", "/two:rw"]).is_installed().await);
    assert!(!with(&[]).is_installed().await);
}

#[tokio::test]
async fn i_loc_02_what_is_allowed_follows_patterns_rights_and_creation() {
    use CreateAs::{Dir, File, NoCreate};
    for (patterns, path, read_write, create_as, expected) in [
        (&["data/file"][..], "data/file", false, NoCreate, true),
        (&["data/*"], "data/file", false, NoCreate, true),
        (&["data/*"], "data/sub/deep", false, NoCreate, false),
        (&["data/**"], "data/sub/deep", false, NoCreate, true),
        (&["data/**"], "data", false, NoCreate, true),
        (&["**"], "data/sub/deep", false, NoCreate, true),
        (&["da*/file"], "data/file", false, NoCreate, true),
        (&["data/*le"], "data/file", false, NoCreate, true),
        (&["other/*", "data/fil[a-f]"], "data/file", false, NoCreate, true),
        (&["data/**"], "other/file", false, NoCreate, false),
        (&[], "data/file", false, NoCreate, false),
        (&["data/**:ro"], "data/file", true, NoCreate, false),
        (&["data/**:rw"], "data/file", true, NoCreate, true),
        (&["data/**:rw"], "data/file", false, NoCreate, true),
        (&["data/**", "data/file:rw"], "data/file", true, NoCreate, true),
        (&["data/**:rw"], "data/new", true, NoCreate, false),
        (&["data/**:rw"], "data/new", false, File, false),
        (&["data/**:rw"], "data/new", true, File, true),
        (&["data/**:rw"], "data/new/er", true, Dir, true),
        (&["data/**"], "data/new", true, Dir, false),
    ] {
        let host = Host::new();
        let found = both(&host.allowing(patterns), &local(&host.path(path), read_write, create_as)).await;
        assert_eq!(found.is_ok(), expected, "{patterns:?} {path} {read_write} {create_as:?}: {found:?}");
        if let Ok(prepared) = found {
            assert_eq!(prepared.path.to_str().unwrap(), host.path(path));
            assert_eq!(prepared.read_only, !read_write);
        }
    }
}

#[tokio::test]
async fn i_loc_03_a_path_that_stays_where_it_is_takes_no_space() {
    let host = Host::new();
    let input = reading(&host.path("data"));
    let checked = host.allowing(&["data"]).check(&input, &InputContext::default()).await.unwrap();
    assert_eq!(checked.bytes, 0);
}

#[tokio::test]
async fn i_loc_04_refusals_say_which_path_and_why() {
    let host = Host::new();
    let inputs = host.allowing(&["data/**"]);
    let outside = host.path("other/file");
    let failure = both(&inputs, &reading(&outside)).await.unwrap_err();
    assert_eq!(failure.code, ReasonCode::InputNotAllowed);
    assert_eq!(failure.message, format!("volume {outside} is not allowlisted"));
    let inside = host.path("data/file");
    let failure = both(&inputs, &local(&inside, true, CreateAs::NoCreate)).await.unwrap_err();
    assert_eq!(failure.message, format!("volume {inside} is not granted write access"));
    assert!(failure.hint.unwrap().contains("allowed local paths"));
}

#[tokio::test]
async fn i_loc_05_what_is_missing_and_may_not_be_created_is_said() {
    let host = Host::new();
    let missing = host.path("data/missing");
    let failure = both(&host.allowing(&["data/**"]), &reading(&missing)).await.unwrap_err();
    assert_eq!(failure.code, ReasonCode::InputNotFound);
    assert_eq!(failure.message, format!("volume {missing} does not exist and creation is not allowed"));
    // Whoever may not use a path is not told whether it exists.
    for path in [host.path("other/missing"), host.path("other/file/below"), host.path("other/file")] {
        let failure = both(&host.allowing(&["data/**"]), &reading(&path)).await.unwrap_err();
        assert_eq!(failure.message, format!("volume {path} is not allowlisted"));
    }
}

#[tokio::test]
async fn i_loc_06_files_and_folders_are_created_where_asked() {
    let host = Host::new();
    let inputs = host.allowing(&["data/**:rw"]);
    let file = both(&inputs, &local(&host.path("data/a/file"), true, CreateAs::File)).await.unwrap();
    assert_eq!(fs::read(&file.path).unwrap(), b"");
    let dir = both(&inputs, &local(&host.path("data/b/dir/"), true, CreateAs::Dir)).await.unwrap();
    assert!(dir.path.is_dir() && !dir.read_only);
    let wrong = local(&host.path("data/c/"), true, CreateAs::File);
    let failure = inputs
        .prepare(&wrong, &InputContext::default(), &InputPlace::new(Path::new("/nowhere"), 0))
        .await
        .unwrap_err();
    assert!(failure.message.ends_with("is a directory but CreateAs is set to file"), "{failure}");
    assert!(!Path::new(&host.path("data/c")).exists());
}

#[tokio::test]
async fn i_loc_08_removing_the_executions_folder_leaves_local_paths() {
    let host = Host::new();
    let (_dir, execution) = execution();
    let sources = InputSources::new([Arc::new(host.allowing(&["data:rw"])) as Arc<dyn InputSource>]);
    let inputs = [local(&host.path("data"), true, CreateAs::NoCreate)];
    let prepared = sources.prepare(&inputs, &InputContext::default(), &execution).await.unwrap();
    assert!(!execution.join("inputs").exists(), "nothing is copied");
    fs::remove_dir_all(&execution).unwrap();
    assert_eq!(fs::read(prepared[0].path.join("file")).unwrap(), b"x");
}

fn job(source_type: &str, create_as: &str) -> Result<Job, SpecError> {
    let text = format!(
        "Name: x\nType: batch\nTasks:\n  - Name: main\n    Engine: {{Type: docker, Params: {{Image: busybox}}}}\n    \
         InputSources: [{{Target: /in, Source: {{Type: {source_type}, Params: {{SourcePath: /d, CreateAs: {create_as}}}}}}}]\n"
    );
    Job::from_slice(text.as_bytes())
}

#[test]
fn i_loc_09_the_old_name_is_the_same_source() {
    let source = |name| job(name, "dir").unwrap().task.input_sources[0].source.clone();
    assert_eq!(source("localDirectory"), source("local"));
    assert_eq!(source("localDirectory").type_name(), LocalInputs::default().source_type());
}

#[test]
fn i_loc_11_an_unknown_way_to_create_is_refused() {
    let error = job("local", "weird").unwrap_err().to_string();
    assert!(error.contains("invalid CreateAs value") && error.contains("weird"), "{error}");
}

#[tokio::test]
async fn i_loc_12_dots_and_links_do_not_lead_out_of_what_is_allowed() {
    let host = Host::new();
    symlink(host.path("other"), host.path("data/link")).unwrap();
    symlink(host.path("other/nothing"), host.path("data/dangling")).unwrap();
    symlink(host.path("data/sub"), host.path("data/inner")).unwrap();
    let inputs = host.allowing(&["data/**:rw"]);
    for path in
        ["data/../other/file", "data/sub/../../other/file", "data/link/file", "data/link", "data/dangling"]
    {
        let failure = both(&inputs, &reading(&host.path(path))).await.unwrap_err();
        assert_eq!(failure.message, format!("volume {} is not allowlisted", host.path(path)));
    }
    for path in ["data/new/../../other/new", "data/link/new", "data/dangling", "data/dangling/new"] {
        let failure = both(&inputs, &local(&host.path(path), true, CreateAs::File)).await.unwrap_err();
        assert_eq!(failure.code, ReasonCode::InputNotAllowed, "{path}");
    }
    assert_eq!(fs::read_dir(host.path("other")).unwrap().count(), 1, "nothing was created there");
    // Within what is allowed they are as good as plain names, and the mount is where they lead.
    for path in ["data/inner/deep", "data/./sub/../sub/deep", "other/../data/sub/deep"] {
        let prepared = both(&inputs, &reading(&host.path(path))).await.unwrap();
        assert_eq!(prepared.path.to_str().unwrap(), host.path("data/sub/deep"));
    }
}

#[tokio::test]
async fn a_pattern_below_a_link_means_what_the_link_leads_to() {
    let host = Host::new();
    symlink(host.path("data"), host.path("li[n]k")).unwrap();
    symlink(host.path("data"), host.path("plain")).unwrap();
    let inputs = host.allowing(&["plain/**"]);
    assert!(both(&inputs, &reading(&host.path("plain/sub/deep"))).await.is_ok());
    assert!(both(&inputs, &reading(&host.path("other/file"))).await.is_err());
}

#[tokio::test]
async fn a_path_that_the_caller_names_itself_is_allowed_with_all_below() {
    let host = Host::new();
    let grant = |path: &str, read_write| InputContext {
        grants: vec![GrantedPath { path: host.path(path).into(), read_write }],
        ..InputContext::default()
    };
    let check = async |path: &str, read_write: bool, context: &InputContext| {
        let input = local(&host.path(path), read_write, CreateAs::NoCreate);
        LocalInputs::default().check(&input, context).await.is_ok()
    };
    assert!(check("data", false, &grant("data", false)).await);
    assert!(check("data/sub/deep", false, &grant("data", false)).await);
    assert!(check("data", false, &grant("other/../data", false)).await);
    assert!(!check("data", true, &grant("data", false)).await);
    assert!(check("data", true, &grant("data", true)).await);
    assert!(!check("other/file", false, &grant("data", true)).await);
    assert!(!check("data/../other/file", false, &grant("data", true)).await);
}

#[test]
fn patterns_that_are_not_absolute_are_refused() {
    for bad in ["", "data/**", "~/x", ":rw"] {
        assert!(bad.parse::<AllowedPath>().is_err(), "{bad}");
    }
    let shown = |text: &str| text.parse::<AllowedPath>().unwrap().to_string();
    assert_eq!(shown("/data/**"), "/data/**:ro");
    assert_eq!(shown("/data/:rw"), "/data:rw");
    assert_eq!(shown("/:ro"), "/:ro");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_path_leads_out_of_what_is_allowed(parts in proptest::collection::vec(
        prop_oneof![Just(".."), Just("."), Just("data"), Just("sub"), Just("link"), Just("new"), Just("other"), Just("")],
        0..8,
    )) {
        let host = Host::new();
        symlink("../../other", host.path("data/sub/link")).unwrap();
        let inputs = host.allowing(&["data/**:rw"]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let path = host.path(&format!("data/{}", parts.join("/")));
        let found = runtime.block_on(both(&inputs, &local(&path, true, CreateAs::Dir)));
        if let Ok(prepared) = found {
            prop_assert!(fs::canonicalize(prepared.path).unwrap().starts_with(host.path("data")));
        }
        prop_assert_eq!(fs::read_dir(host.path("other")).unwrap().count(), 1);
        prop_assert_eq!(fs::read_dir(host.path("")).unwrap().count(), 2);
    }
}
