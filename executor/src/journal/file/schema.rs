//! The tables of the file, its version, and how it is opened.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, ReadableDatabase, TableDefinition, WriteTransaction};

use super::storage::{Access, Storage};
use crate::journal::{Durability, JournalError};

/// Version of the tables and of what is in them.
pub const SCHEMA_VERSION: u64 = 1;

/// Numbers about the journal itself.
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
/// Sequence to record, as JSON whose job is null.
pub(super) const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
/// Sequence to job, as JSON: written once, where the record is written at every edge.
pub(super) const JOBS: TableDefinition<'_, u64, &str> = TableDefinition::new("jobs");
/// Execution to sequence.
pub(super) const SEQUENCES: TableDefinition<'_, &str, u64> = TableDefinition::new("sequences");
/// Sequences of executions that have not ended.
pub(super) const LIVE: TableDefinition<'_, u64, ()> = TableDefinition::new("live");
/// Key to note.
pub(super) const NOTES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("notes");

/// In [`META`]: the version.
const SCHEMA_KEY: &str = "schema";
/// In [`META`]: the sequence that the next record gets.
pub(super) const NEXT_SEQUENCE_KEY: &str = "next_sequence";

/// Bytes of the file that are kept in memory.
const CACHE_BYTES_MAX: usize = 8 << 20;

/// Takes a file from one version to the next.
pub(super) type Migration = fn(&WriteTransaction) -> Result<(), redb::Error>;

/// The migration at place `n` takes version `n + 1` to version `n + 2`.
pub(super) const MIGRATIONS: &[Migration] = &[];

/// A file with a store on it.
pub(super) struct Opened {
    pub(super) database: Arc<Database>,
    pub(super) storage: Storage,
}

/// Opens the journal at `path` in the version `supported`, makes or migrates it.
pub(super) fn open(
    path: &Path,
    durability: Durability,
    supported: u64,
    migrations: &[Migration],
) -> Result<Opened, JournalError> {
    if is_absent(path)? {
        return create(path, durability, supported);
    }
    let storage = Storage::open(path, Access::Own, durability)?;
    let (opened, found) = start(path, storage, supported)?;
    if found < supported {
        // What the store staged while opening is no part of the copy.
        copy_aside(path, &opened.storage, found)?;
    }
    opened.storage.arm().map_err(|e| super::explain("opening", path, e.into()))?;
    if found < supported {
        migrate(path, &opened.database, found, supported, migrations)?;
    }
    Ok(opened)
}

/// Opens the journal at `path` so that nothing is ever written.
pub(super) fn view(path: &Path, supported: u64) -> Result<Opened, JournalError> {
    let storage = Storage::open(path, Access::Look, Durability::Process)?;
    let (opened, found) = start(path, storage, supported)?;
    if found < supported {
        return Err(JournalError::Older { path: path.to_path_buf(), found, supported });
    }
    Ok(opened)
}

/// Puts another store on the file of one that failed, staged: it can be read at once.
pub(super) fn reopen(path: &Path, failed: &Storage) -> Result<Opened, JournalError> {
    Ok(start(path, failed.again(), SCHEMA_VERSION)?.0)
}

fn is_absent(path: &Path) -> Result<bool, JournalError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(super::store("opening", path, error)),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes a journal under another name first, so that no half one is ever found at `path`.
fn create(path: &Path, durability: Durability, version: u64) -> Result<Opened, JournalError> {
    let new = beside(path, ".new");
    let storage = Storage::create(&new, durability).map_err(|error| match error {
        JournalError::Store { attempt, source, .. } => {
            JournalError::Store { attempt, path: path.to_path_buf(), source }
        }
        JournalError::Held { .. } => JournalError::Held { path: path.to_path_buf() },
        error => error,
    })?;
    if !is_absent(path)? {
        // Somebody was faster; what is there now is theirs.
        return Err(JournalError::Held { path: path.to_path_buf() });
    }
    let database = store_on(path, &storage)?;
    let write = || -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        transaction.open_table(META)?.insert(SCHEMA_KEY, version)?;
        transaction.open_table(RECORDS)?;
        transaction.open_table(JOBS)?;
        transaction.open_table(SEQUENCES)?;
        transaction.open_table(LIVE)?;
        transaction.open_table(NOTES)?;
        Ok(transaction.commit()?)
    };
    write().map_err(|error| super::explain("opening", path, error))?;
    let renamed = std::fs::rename(&new, path).and_then(|()| match (durability, path.parent()) {
        (Durability::Power, Some(folder)) => std::fs::File::open(folder)?.sync_all(),
        _ => Ok(()),
    });
    renamed.map_err(|error| super::store("opening", path, error))?;
    Ok(Opened { database, storage })
}

/// Puts a store on a staged file and reads its version, which is at most `supported`.
fn start(path: &Path, storage: Storage, supported: u64) -> Result<(Opened, u64), JournalError> {
    let corrupt = |why: &str| JournalError::Corrupt { path: path.to_path_buf(), why: why.to_owned() };
    if storage.is_empty().map_err(|e| super::store("opening", path, e))? {
        return Err(corrupt("it is empty"));
    }
    let database = store_on(path, &storage)?;
    let version = || -> Result<Option<u64>, redb::Error> {
        let table = database.begin_read()?.open_table(META)?;
        Ok(redb::ReadableTable::get(&table, SCHEMA_KEY)?.map(|version| version.value()))
    };
    let found = match version() {
        Ok(Some(found)) if found > 0 => found,
        Ok(_) | Err(redb::Error::TableDoesNotExist(_) | redb::Error::TableTypeMismatch { .. }) => {
            return Err(corrupt("it has no schema version: some other program made it"));
        }
        Err(error) => return Err(super::explain("opening", path, error)),
    };
    if found > supported {
        return Err(JournalError::Newer { path: path.to_path_buf(), found, supported });
    }
    Ok((Opened { database, storage }, found))
}

fn store_on(path: &Path, storage: &Storage) -> Result<Arc<Database>, JournalError> {
    let storage = storage.clone();
    // The store panics on some damaged files where assertions are compiled in.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        Database::builder().set_cache_size(CACHE_BYTES_MAX).create_with_backend(storage)
    }));
    let corrupt = |why: String| JournalError::Corrupt { path: path.to_path_buf(), why };
    match opened {
        Ok(Ok(database)) => Ok(Arc::new(database)),
        Ok(Err(redb::DatabaseError::UpgradeRequired(found))) => {
            Err(corrupt(format!("its store has format {found}, which this build does not read")))
        }
        Ok(Err(redb::DatabaseError::Storage(redb::StorageError::Io(error))))
            if error.kind() == std::io::ErrorKind::UnexpectedEof =>
        {
            Err(corrupt("it ends too early".into()))
        }
        Ok(Err(error)) => Err(super::explain("opening", path, error.into())),
        Err(_) => Err(corrupt("its pages contradict each other".into())),
    }
}

fn copy_aside(path: &Path, storage: &Storage, version: u64) -> Result<(), JournalError> {
    let copy = beside(path, &format!(".v{version}"));
    let unfinished = beside(path, &format!(".v{version}.new"));
    storage
        .copy_to(&unfinished)
        .and_then(|()| std::fs::rename(&unfinished, &copy))
        .map_err(|error| super::explain("copying", path, error.into()))
}

/// Migrates in one transaction: all the way or not at all.
fn migrate(
    path: &Path,
    database: &Database,
    found: u64,
    supported: u64,
    migrations: &[Migration],
) -> Result<(), JournalError> {
    let run = || -> Result<(), redb::Error> {
        let transaction = database.begin_write()?;
        for version in found..supported {
            let step = usize::try_from(version - 1).ok().and_then(|at| migrations.get(at));
            let step = step.ok_or_else(|| {
                redb::Error::Corrupted(format!("no way leads from schema version {version} to the next"))
            })?;
            step(&transaction)?;
        }
        transaction.open_table(META)?.insert(SCHEMA_KEY, supported)?;
        Ok(transaction.commit()?)
    };
    run().map_err(|error| super::explain("migrating", path, error))
}
