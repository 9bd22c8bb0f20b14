//! Counting what a run left, in bounded time: no entry is opened but folders, and links are not followed.

use std::fs;
use std::io;
use std::path::Path;

use super::ResultsError;

/// Entries below `folder`, counted until they are more than `max`.
///
/// Folders that this user may not read count as one entry each: whoever collects them with more rights counts them.
pub(super) fn count(folder: &Path, max: u64) -> Result<u64, ResultsError> {
    let mut found = 0;
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
            Err(error) => return Err(ResultsError::io("reading", folder, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| ResultsError::io("reading", &folder, error))?;
            found += 1;
            if found > max {
                return Ok(found);
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(entry.path());
            }
        }
    }
    Ok(found)
}
