//! What every [`InputSource`] keeps to.

use std::fs;
use std::path::Path;

use crate::failure::ErrorKind;
use crate::inputs::{InputContext, InputPlace, InputSource};
use crate::spec;

/// Inputs of the source's type, in its own form.
#[derive(Debug)]
pub struct Cases {
    /// An input that is a file with the content `given`.
    pub file: spec::InputSource,
    /// An input that can never be prepared.
    pub wrong: spec::InputSource,
    /// An input of another source's type.
    pub foreign: spec::InputSource,
}

/// Checks everything; `execution` is an empty folder.
///
/// # Panics
/// Where the source does not keep to its contract.
pub async fn check(source: &dyn InputSource, cases: &Cases, context: &InputContext, execution: &Path) {
    let entries = || fs::read_dir(execution).expect("the folder is readable").count();
    assert_eq!(source.source_type(), cases.file.source.type_name(), "the type is the one in a job");

    source.check(&cases.file, context).await.expect("the file can be prepared");
    assert_eq!(entries(), 0, "a check has no effect");
    let place = InputPlace::new(execution, 0);
    let prepared = source.prepare(&cases.file, context, &place).await.expect("the file is prepared");
    assert_eq!(fs::read(&prepared.path).expect("what is mounted is readable"), b"given");
    let canonical = fs::canonicalize(&prepared.path).expect("what is mounted is there");
    assert_eq!(canonical, prepared.path, "what is mounted is canonical");
    let stored = prepared.path.starts_with(execution);
    assert_eq!(prepared.bytes > 0, stored, "what is stored is counted, and lies in the execution's folder");

    for (name, input) in [("wrong", &cases.wrong), ("foreign", &cases.foreign)] {
        let place = InputPlace::new(execution, 1);
        let checked = source.check(input, context).await.expect_err(name);
        let refused = source.prepare(input, context, &place).await.expect_err(name);
        for failure in [checked, refused] {
            assert_ne!(failure.kind(), ErrorKind::Cancelled, "{name}: {failure}");
            assert!(!failure.message.is_empty(), "{name}: a failure says what it is");
        }
        assert!(!place.path().exists(), "{name}: nothing is left where it would have been");
    }
}
