//! Making, moving and removing names.

use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;

use super::host::{PATH_BYTES_MAX, locate, read_link};
use super::walk::{Dir, HostDir, Target};
use super::{FsResult, Vfs};

impl Vfs {
    /// Makes a folder.
    pub(crate) fn make_dir(&self, start: &Dir, path: &[u8]) -> FsResult<()> {
        let parent = self.tree.parent(start, path)?;
        if parent.node.is_some() {
            return Err(Errno::EXIST);
        }
        rustix::fs::mkdirat(parent.writable()?.fd(), parent.name, Mode::from_raw_mode(0o777))
    }

    /// Removes a file or a link.
    pub(crate) fn unlink(&self, start: &Dir, path: &[u8]) -> FsResult<()> {
        self.remove(start, path, AtFlags::empty())
    }

    /// Removes an empty folder.
    pub(crate) fn remove_dir(&self, start: &Dir, path: &[u8]) -> FsResult<()> {
        self.remove(start, path, AtFlags::REMOVEDIR)
    }

    fn remove(&self, start: &Dir, path: &[u8], flags: AtFlags) -> FsResult<()> {
        let parent = self.tree.parent(start, path)?;
        if parent.node.is_some() {
            return Err(Errno::BUSY);
        }
        let host = parent.writable()?;
        let gone = self.number_to_forget(host, parent.name);
        rustix::fs::unlinkat(host.fd(), parent.name, flags)?;
        self.forget(gone);
        Ok(())
    }

    /// The host's number of a file whose last name is about to go, in a deterministic run.
    fn number_to_forget(&self, host: &HostDir, name: &[u8]) -> Option<(u64, u64)> {
        self.inodes.as_ref()?;
        let stat = rustix::fs::statat(host.fd(), name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_last = stat.st_nlink <= 1 || FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        is_last.then_some((stat.st_dev, stat.st_ino))
    }

    fn forget(&self, gone: Option<(u64, u64)>) {
        if let (Some(inodes), Some((dev, ino))) = (&self.inodes, gone) {
            inodes.forget(dev, ino);
        }
    }

    /// Gives something another name, in place of what has it now.
    pub(crate) fn rename(&self, old: (&Dir, &[u8]), new: (&Dir, &[u8])) -> FsResult<()> {
        let from = self.tree.parent(old.0, old.1)?;
        let to = self.tree.parent(new.0, new.1)?;
        if from.node.is_some() || to.node.is_some() {
            return Err(Errno::BUSY);
        }
        let (source, target) = (from.writable()?, to.writable()?);
        let gone = self.number_to_forget(target, to.name);
        rustix::fs::renameat(source.fd(), from.name, target.fd(), to.name)?;
        // Renaming a file to another of its own names does nothing: then the name is still there.
        let kept = gone.is_some_and(|gone| {
            rustix::fs::statat(target.fd(), to.name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| (stat.st_dev, stat.st_ino) == gone)
        });
        if !kept {
            self.forget(gone);
        }
        Ok(())
    }

    /// Gives a file a second name. Both lie in mounts that may be changed: an input stays as it is.
    pub(crate) fn link(&self, old: (&Dir, &[u8]), new: (&Dir, &[u8])) -> FsResult<()> {
        let from = self.tree.parent(old.0, old.1)?;
        let to = self.tree.parent(new.0, new.1)?;
        if to.node.is_some() {
            return Err(Errno::EXIST);
        }
        if from.node.is_some() {
            return Err(Errno::XDEV);
        }
        let (source, target) = (from.writable()?, to.writable()?);
        rustix::fs::linkat(source.fd(), from.name, target.fd(), to.name, AtFlags::empty())
    }

    /// Makes a link that leads to `target`, which must not be absolute.
    pub(crate) fn symlink(&self, target: &[u8], start: &Dir, path: &[u8]) -> FsResult<()> {
        match target.first() {
            Some(b'/') => return Err(Errno::PERM),
            Some(_) if target.len() >= PATH_BYTES_MAX => return Err(Errno::NAMETOOLONG),
            _ => {}
        }
        let parent = self.tree.parent(start, path)?;
        if parent.node.is_some() {
            return Err(Errno::EXIST);
        }
        rustix::fs::symlinkat(target, parent.writable()?.fd(), parent.name)
    }

    /// Where a link leads.
    pub(crate) fn read_link(&self, start: &Dir, path: &[u8]) -> FsResult<Vec<u8>> {
        match self.tree.resolve(start, path, false)? {
            Target::Dir(_) | Target::File(_) => Err(Errno::INVAL),
            Target::Below(below) => {
                let fd = locate(below.dir.fd(), &below.path, false)?;
                match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
                    FileType::Symlink => read_link(fd.as_fd()),
                    _ => Err(Errno::INVAL),
                }
            }
        }
    }
}
