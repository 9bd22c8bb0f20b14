use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};
use serde_json::value::RawValue;

use super::*;
use crate::JobId;
use crate::journal::Timestamp;
use crate::state::State;

fn open(path: &Path) -> Result<FileJournal, JournalError> {
    FileJournal::open(path, Durability::Process)
}

fn create(name: &str) -> Edge {
    let job = RawValue::from_string("{}".into()).unwrap().into();
    let execution = ExecutionId::try_new(name).unwrap();
    Edge::create(execution, JobId::try_new("j-1").unwrap(), job, State::Queued, Timestamp::default())
}

async fn names(journal: &FileJournal) -> Vec<String> {
    let records = journal.list(&Filter::all(), Page::first(1_000)).await.unwrap();
    records.iter().map(|record| record.execution_id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_in_a_file_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let next = AtomicU64::new(0);
    crate::conformance::journal::check(|| {
        let path = folder.path().join(next.fetch_add(1, Ordering::Relaxed).to_string());
        Arc::new(open(&path).unwrap())
    })
    .await;
}

#[tokio::test]
async fn a_journal_that_syncs_conforms_too() {
    let folder = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(&folder.path().join(JOURNAL_FILE), Durability::Power).unwrap();
    crate::conformance::journal::check_against_model(&journal, 9, 20).await;
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    let journal = open(&path).unwrap();
    journal.commit(create("a"), Notes::none().put("k", "v")).await.unwrap();
    assert!(matches!(open(&path), Err(JournalError::Held { .. })), "one process, one owner");
    assert!(matches!(read_journal(&path), Err(JournalError::Held { .. })));
    drop(journal);
    let journal = open(&path).unwrap();
    journal.commit(create("b"), Notes::none()).await.unwrap();
    assert_eq!(names(&journal).await, ["a", "b"]);
    assert_eq!(journal.notes("").await.unwrap()[0].value, b"v");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[tokio::test]
async fn looking_at_a_journal_changes_no_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    let journal = open(&path).unwrap();
    journal.commit(create("a"), Notes::none().put("k", "v")).await.unwrap();
    // What a killed process leaves: the file of an open journal.
    let killed = folder.path().join("killed");
    fs::copy(&path, &killed).unwrap();
    drop(journal);
    for path in [&path, &killed] {
        let before = fs::read(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
        let view = read_journal(path).unwrap();
        let record = view.get(&ExecutionId::try_new("a").unwrap()).unwrap().unwrap();
        assert_eq!(record.state, State::Queued);
        assert_eq!(view.list(&Filter::live(), Page::first(9)).unwrap(), [record]);
        assert_eq!(view.notes("k").unwrap()[0].key, "k");
        drop(view);
        assert_eq!(fs::read(path).unwrap(), before);
    }
}

#[test]
fn a_newer_journal_is_refused_with_both_versions_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    drop(schema::open(&path, Durability::Process, SCHEMA_VERSION + 6, &[]).unwrap());
    let before = fs::read(&path).unwrap();
    for error in [open(&path).unwrap_err(), read_journal(&path).unwrap_err()] {
        assert!(matches!(error, JournalError::Newer { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("version {}", SCHEMA_VERSION + 6)), "{text}");
        assert!(text.contains(&format!("up to {SCHEMA_VERSION}")), "{text}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

fn rename_the_note(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let mut notes = transaction.open_table(schema::NOTES)?;
    let old = notes.remove("old")?.map(|note| note.value().to_vec()).unwrap_or_default();
    notes.insert("new", old.as_slice())?;
    Ok(())
}

fn fail(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    rename_the_note(transaction)?;
    Err(redb::Error::Corrupted("this migration fails".into()))
}

fn note_keys(opened: &schema::Opened) -> Vec<String> {
    let transaction = opened.database.begin_read().unwrap();
    let notes = transaction.open_table(schema::NOTES).unwrap();
    notes.iter().unwrap().map(|entry| entry.unwrap().0.value().to_owned()).collect()
}

#[tokio::test]
async fn an_older_journal_is_migrated_after_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    let journal = open(&path).unwrap();
    journal.note(Notes::none().put("old", "v")).await.unwrap();
    drop(journal);
    let migrate = |to, steps| schema::open(&path, Durability::Process, SCHEMA_VERSION + to, steps);
    let error = migrate(1, &[fail as schema::Migration]).err().unwrap();
    assert!(matches!(error, JournalError::Corrupt { .. }), "{error}");
    assert_eq!(open(&path).unwrap().notes("").await.unwrap()[0].key, "old", "a failed one changes nothing");
    let migrated = migrate(1, &[rename_the_note as schema::Migration]).unwrap();
    assert_eq!(note_keys(&migrated), ["new"]);
    drop(migrated);
    let copy = folder.path().join(format!("{JOURNAL_FILE}.v{SCHEMA_VERSION}"));
    assert_eq!(open(&copy).unwrap().notes("").await.unwrap()[0].key, "old", "the copy is what it was");
    assert!(migrate(3, &[rename_the_note as schema::Migration]).is_err(), "no way leads there");
}

/// Every way of opening fails, and the file keeps its bytes.
fn assert_refused_and_kept(path: &Path, what: &str) {
    let before = fs::read(path).unwrap();
    for error in [open(path).map(drop).unwrap_err(), read_journal(path).map(drop).unwrap_err()] {
        assert!(matches!(error, JournalError::Corrupt { .. }), "{what}: {error:?}");
        assert!(error.to_string().contains("left as it is"), "{error}");
    }
    assert_eq!(fs::read(path).unwrap(), before, "{what}");
}

#[tokio::test]
async fn a_damaged_journal_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    let journal = open(&path).unwrap();
    for n in 0..50 {
        journal.commit(create(&format!("e-{n}")), Notes::none()).await.unwrap();
    }
    drop(journal);
    let whole = fs::read(&path).unwrap();
    for len in [0, 1, 100, 512, 4_096, whole.len() / 2, whole.len() - 4_096] {
        fs::write(&path, &whole[..len]).unwrap();
        assert_refused_and_kept(&path, &format!("cut to {len} bytes"));
    }
    for text in ["not a journal", "SQLite format 3\0"] {
        fs::write(&path, text.repeat(1_000)).unwrap();
        assert_refused_and_kept(&path, text);
    }
    let other = redb::Database::create(folder.path().join("other")).unwrap();
    drop(other);
    assert_refused_and_kept(&folder.path().join("other"), "a store without our tables");
}

#[tokio::test]
async fn a_record_that_is_not_one_is_named_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    let journal = open(&path).unwrap();
    journal.commit(create("a"), Notes::none()).await.unwrap();
    journal.commit(create("b"), Notes::none()).await.unwrap();
    {
        let database = current(&journal.reader.database).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(schema::RECORDS).unwrap().insert(0, &b"{\"state\":"[..]).unwrap();
        transaction.commit().unwrap();
    }
    let a = ExecutionId::try_new("a").unwrap();
    let error = journal.get(&a).await.unwrap_err();
    assert!(error.to_string().contains("record 0"), "{error}");
    let step = Edge::step(a, State::Queued, State::Preparing, Timestamp::default());
    assert!(matches!(journal.commit(step, Notes::none()).await, Err(JournalError::Corrupt { .. })));
    assert!(journal.get(&ExecutionId::try_new("b").unwrap()).await.unwrap().is_some());
    journal.commit(create("c"), Notes::none()).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_clearly_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL_FILE);
    let opened = schema::open(&path, Durability::Process, SCHEMA_VERSION, &[]).unwrap();
    let full = opened.storage.fill_disk();
    let journal = FileJournal::start(&path, opened).unwrap();
    journal.commit(create("a"), Notes::none()).await.unwrap();
    for _ in 0..2 {
        full.store(true, Ordering::Release);
        for _ in 0..2 {
            let error = journal.commit(create("b"), Notes::none()).await.unwrap_err();
            assert!(matches!(error, JournalError::Full { .. }), "{error:?}");
            assert!(!error.is_refusal());
        }
        full.store(false, Ordering::Release);
        assert_eq!(names(&journal).await, ["a"]);
    }
    journal.commit(create("b"), Notes::none()).await.unwrap();
    drop(journal);
    assert_eq!(names(&open(&path).unwrap()).await, ["a", "b"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_a_clear_refusal() {
    let error = open(Path::new("/proc/self/journal.redb")).unwrap_err();
    assert!(matches!(error, JournalError::Store { attempt: "opening", .. }), "{error:?}");
    assert_eq!(error.to_string(), "opening journal /proc/self/journal.redb");
    let folder = tempfile::tempdir().unwrap();
    assert!(open(&folder.path().join("not/there")).is_err());
    assert!(matches!(open(folder.path()), Err(JournalError::Store { .. } | JournalError::Corrupt { .. })));
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    assert!(open(&link).is_err(), "a link is not followed");
}
