//! `--out DIR`: exactly the results, where the caller wants them.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::problem::Problem;
use crate::receipts;

/// A folder that waits, empty, for results.
pub(crate) struct OutDir {
    path: PathBuf,
    /// Whether it was made for this, and goes if nothing comes.
    made: bool,
}

impl OutDir {
    /// Makes the folder, or accepts an empty one, before anything runs.
    pub(crate) fn prepare(dir: &Path) -> Result<Self, Problem> {
        let failed = |error: io::Error| Problem::usage(format!("preparing --out {}: {error}", dir.display()));
        let made = !dir.exists();
        fs::create_dir_all(dir).map_err(failed)?;
        let path = dir.canonicalize().map_err(failed)?;
        if fs::read_dir(&path).map_err(failed)?.next().is_some() {
            let message = format!("--out {}: the folder is not empty", dir.display());
            return Err(Problem::usage(message).with_hint("name a folder that is absent or empty"));
        }
        if path.file_name().is_none() {
            return Err(Problem::usage(format!(
                "--out {}: the receipt has no place beside it",
                dir.display()
            )));
        }
        Ok(Self { path, made })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the results in and puts the receipt beside; returns the receipt's path.
    pub(crate) fn fill(&self, results: &Path, receipt: Option<&Path>) -> Result<Option<PathBuf>, Problem> {
        let failed = |error: io::Error| {
            Problem::failed(format!(
                "moving results from {} to {}: {error}",
                results.display(),
                self.path.display()
            ))
        };
        let mode = fs::metadata(&self.path).map_err(failed)?.permissions();
        for entry in fs::read_dir(results).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let to = self.path.join(entry.file_name());
            move_tree(&entry.path(), &to).map_err(failed)?;
            if entry.file_name() != "exitCode" && to.is_dir() && !to.is_symlink() {
                // An output folder is open to every user while a program may run as any of them.
                fs::set_permissions(&to, mode.clone()).map_err(failed)?;
            }
        }
        // An empty folder of results would speak against the receipt beside it.
        fs::remove_dir(results).map_err(failed)?;
        let Some(receipt) = receipt else { return Ok(None) };
        let Some(beside) = receipts::beside(&self.path) else { return Ok(None) };
        fs::copy(receipt, &beside).map_err(|error| {
            Problem::failed(format!(
                "copying the receipt {} to {}: {error}",
                receipt.display(),
                beside.display()
            ))
        })?;
        Ok(Some(beside))
    }
}

impl Drop for OutDir {
    fn drop(&mut self) {
        if self.made {
            // Only an empty folder can be removed so.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Moves a file or tree: by its name on the same file system, by its bytes otherwise.
fn move_tree(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            copy_tree(from, to)?;
            if from.is_dir() && !from.is_symlink() { fs::remove_dir_all(from) } else { fs::remove_file(from) }
        }
        done => done,
    }
}

/// Copies a tree of folders, files and symlinks with their permissions; no link is followed.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let mut waiting = vec![(from.to_owned(), to.to_owned())];
    let mut folders = Vec::new();
    while let Some((from, to)) = waiting.pop() {
        let metadata = fs::symlink_metadata(&from)?;
        if metadata.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
        } else if metadata.is_dir() {
            fs::create_dir(&to)?;
            for entry in fs::read_dir(&from)? {
                let entry = entry?;
                waiting.push((entry.path(), to.join(entry.file_name())));
            }
            folders.push((to, metadata.permissions()));
        } else if metadata.is_file() {
            fs::copy(&from, &to)?;
        } else {
            let message = format!("{} is neither file, folder nor symlink", from.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
    }
    // Permissions last: a folder may not let its owner write.
    folders.into_iter().rev().try_for_each(|(folder, permissions)| fs::set_permissions(folder, permissions))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_copied_tree_is_equal_to_its_source() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::write(from.join("a/b/file"), b"bytes").unwrap();
        fs::set_permissions(from.join("a/b/file"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("b/file", from.join("a/link")).unwrap();
        fs::set_permissions(from.join("a/b"), fs::Permissions::from_mode(0o555)).unwrap();
        copy_tree(&from, &to).unwrap();
        assert_eq!(fs::read_link(to.join("a/link")).unwrap(), Path::new("b/file"));
        let options = frogfish_verifier::HashOptions::default();
        let root = |path: &Path| frogfish_verifier::hash_path(path, &options).unwrap().root;
        assert_eq!(root(&from), root(&to));
        for folder in [&from, &to] {
            fs::set_permissions(folder.join("a/b"), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    #[test]
    fn a_folder_that_holds_something_is_refused_and_one_made_in_vain_goes() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("f"), b"").unwrap();
        assert_eq!(OutDir::prepare(dir.path()).err().map(|problem| problem.status), Some(crate::exit::USAGE));
        let made = dir.path().join("a/out");
        drop(OutDir::prepare(&made).ok());
        assert!(!made.exists());
    }
}
