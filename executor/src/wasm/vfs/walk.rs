//! From a guest's path to a place below one of the host's folders.
//!
//! Most paths need no steps: the part below a mount is handed to the kernel in one piece. Only a
//! path with `..`, or one that could lead through a link to a mount inside a mount, is walked.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::host::{PATH_BYTES_MAX, locate, locate_dir, read_link};
use super::mounts::{MountId, NodeId, Tree};
use super::{FsResult, Vfs};

/// Links followed in one path, as Linux's limit.
const LINKS_MAX: usize = 40;

/// One of the host's folders.
#[derive(Debug, Clone)]
pub(crate) struct HostDir {
    pub(super) fd: Rc<OwnedFd>,
    pub(super) writable: bool,
}

impl HostDir {
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A folder of the guest: a place in the tree, one of the host's folders, or both.
#[derive(Debug, Clone)]
pub(crate) struct Dir {
    pub(super) node: Option<NodeId>,
    pub(super) host: Option<HostDir>,
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Target<'p> {
    /// A folder that is open by now.
    Dir(Dir),
    /// A mounted file.
    File(MountId),
    /// Something, or nothing yet, below a folder of the host.
    Below(Below<'p>),
}

/// A path below one of the host's folders.
#[derive(Debug)]
pub(crate) struct Below<'p> {
    pub(super) dir: HostDir,
    pub(super) path: Cow<'p, [u8]>,
    /// Whether the links in it are resolved: the last part is then none, or is itself meant.
    pub(super) resolved: bool,
}

/// The folder that holds the last part of a path.
#[derive(Debug)]
pub(crate) struct Parent<'p> {
    pub(super) dir: Dir,
    /// The last part, with a trailing slash if it had one.
    pub(super) name: &'p [u8],
    /// The place in the tree, if the last part is one: it cannot be removed or replaced.
    pub(super) node: Option<NodeId>,
}

impl Parent<'_> {
    /// The host's folder, if it may be changed.
    pub(super) fn writable(&self) -> FsResult<&HostDir> {
        match &self.dir.host {
            Some(host) if host.writable => Ok(host),
            _ => Err(Errno::ROFS),
        }
    }
}

/// The first part of a path and what follows its slash.
fn split_first(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().position(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (path, &[]),
    }
}

fn has_dot_dot(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|part| part == b"..")
}

/// Whether a path says by its end that it leads to a folder.
fn names_a_dir(path: &[u8]) -> bool {
    path.ends_with(b"/") || path.ends_with(b"/.") || path == b"."
}

fn check(path: &[u8]) -> FsResult<()> {
    match path.first() {
        None => Err(Errno::NOENT),
        Some(b'/') => Err(Errno::PERM),
        Some(_) if path.len() >= PATH_BYTES_MAX => Err(Errno::NAMETOOLONG),
        Some(_) if path.contains(&0) => Err(Errno::INVAL),
        Some(_) => Ok(()),
    }
}

enum Entered {
    Dir(Dir),
    File(MountId),
}

impl Tree {
    pub(super) fn root(&self) -> FsResult<Dir> {
        let host = self.node(0).mount.map(|mount| self.mount_root(mount)).transpose()?;
        Ok(Dir { node: Some(0), host })
    }

    pub(super) fn child(&self, dir: &Dir, name: &[u8]) -> Option<NodeId> {
        self.node(dir.node?).children.get(name).copied()
    }

    fn is_mount_root(&self, dir: &Dir) -> bool {
        dir.node.is_some_and(|node| self.node(node).mount.is_some())
    }

    fn enter(&self, dir: &Dir, child: NodeId, name: &[u8]) -> FsResult<Entered> {
        let host = match self.node(child).mount {
            Some(mount) if self.mounted(mount).is_dir => Some(self.mount_root(mount)?),
            Some(mount) => return Ok(Entered::File(mount)),
            // A folder on the way to a mount: the host's, if it has one of that name.
            None => dir.host.as_ref().and_then(|host| {
                let fd = Rc::new(locate_dir(host.fd(), name, false).ok()?);
                Some(HostDir { fd, writable: host.writable })
            }),
        };
        Ok(Entered::Dir(Dir { node: Some(child), host }))
    }

    /// Where `path` leads from `start`; a link at its end is followed if asked.
    pub(super) fn resolve<'p>(&self, start: &Dir, path: &'p [u8], follow: bool) -> FsResult<Target<'p>> {
        check(path)?;
        if has_dot_dot(path) {
            return self.walk(start, path, follow);
        }
        let (mut dir, mut rest) = (Cow::Borrowed(start), path);
        loop {
            let (name, tail) = split_first(rest);
            if rest.is_empty() {
                return Ok(Target::Dir(dir.into_owned()));
            }
            if matches!(name, b"" | b".") {
                rest = tail;
                continue;
            }
            let Some(child) = self.child(&dir, name) else { break };
            match self.enter(&dir, child, name)? {
                Entered::Dir(entered) => dir = Cow::Owned(entered),
                Entered::File(mount) if name.len() == rest.len() => return Ok(Target::File(mount)),
                Entered::File(_) => return Err(Errno::NOTDIR),
            }
            rest = tail;
        }
        let Some(host) = &dir.host else { return Err(Errno::NOENT) };
        if dir.node.is_some_and(|node| !self.node(node).children.is_empty()) {
            return self.walk(start, path, follow);
        }
        Ok(Target::Below(Below { dir: host.clone(), path: Cow::Borrowed(rest), resolved: false }))
    }

    /// As [`resolve`](Self::resolve), one part after the other.
    fn walk<'p>(&self, start: &Dir, path: &[u8], follow: bool) -> FsResult<Target<'p>> {
        let mut must_be_dir = names_a_dir(path);
        let mut stack = vec![start.clone()];
        let mut steps: Vec<(Vec<u8>, bool)> = Vec::new();
        push_steps(&mut steps, path, false);
        let mut links = 0;
        while let Some((name, from_link)) = steps.pop() {
            let Some(top) = stack.last() else { return Err(Errno::PERM) };
            if name == b".." {
                // Above the folder that the path starts from is nothing; a link stays in its mount.
                if stack.len() == 1 || (from_link && self.is_mount_root(top)) {
                    return Err(Errno::PERM);
                }
                stack.pop();
                continue;
            }
            let is_last = steps.is_empty() && !must_be_dir;
            if let Some(child) = self.child(top, &name) {
                match self.enter(top, child, &name)? {
                    Entered::Dir(dir) => stack.push(dir),
                    Entered::File(mount) if is_last => return Ok(Target::File(mount)),
                    Entered::File(_) => return Err(Errno::NOTDIR),
                }
                continue;
            }
            let host = top.host.clone().ok_or(Errno::NOENT)?;
            let below = |host: HostDir, name: Vec<u8>| {
                Target::Below(Below { dir: host, path: Cow::Owned(name), resolved: true })
            };
            if is_last && !follow {
                return Ok(below(host, name));
            }
            let fd = match locate(host.fd(), &name, false) {
                Ok(fd) => fd,
                Err(Errno::NOENT) if is_last => return Ok(below(host, name)),
                Err(error) => return Err(error),
            };
            match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
                FileType::Directory => {
                    stack.push(Dir {
                        node: None,
                        host: Some(HostDir { fd: Rc::new(fd), writable: host.writable }),
                    });
                }
                FileType::Symlink => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(Errno::LOOP);
                    }
                    let target = read_link(fd.as_fd())?;
                    check(&target)?;
                    must_be_dir |= steps.is_empty() && names_a_dir(&target);
                    push_steps(&mut steps, &target, true);
                }
                _ if is_last => return Ok(below(host, name)),
                _ => return Err(Errno::NOTDIR),
            }
        }
        stack.pop().map(Target::Dir).ok_or(Errno::PERM)
    }

    /// The folder at `path`.
    pub(super) fn resolve_dir(&self, start: &Dir, path: &[u8]) -> FsResult<Dir> {
        match self.resolve(start, path, true)? {
            Target::Dir(dir) => Ok(dir),
            Target::File(_) => Err(Errno::NOTDIR),
            Target::Below(below) => {
                let fd = locate_dir(below.dir.fd(), &below.path, !below.resolved)?;
                Ok(Dir { node: None, host: Some(HostDir { fd: Rc::new(fd), writable: below.dir.writable }) })
            }
        }
    }

    /// The folder that holds what `path` ends with.
    pub(super) fn parent<'p>(&self, start: &Dir, path: &'p [u8]) -> FsResult<Parent<'p>> {
        check(path)?;
        let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
        let begin = path[..end].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let bare = &path[begin..end];
        if matches!(bare, b"" | b"." | b"..") {
            return Err(Errno::INVAL);
        }
        let dir = if begin == 0 { start.clone() } else { self.resolve_dir(start, &path[..begin])? };
        let node = self.child(&dir, bare);
        Ok(Parent { dir, name: &path[begin..(end + 1).min(path.len())], node })
    }
}

/// Puts the parts of `path` before the steps that are left; the first part is taken first.
fn push_steps(steps: &mut Vec<(Vec<u8>, bool)>, path: &[u8], from_link: bool) {
    let parts = path.split(|byte| *byte == b'/').rev().filter(|part| !matches!(*part, b"" | b"."));
    steps.extend(parts.map(|part| (part.to_vec(), from_link)));
}

impl Vfs {
    /// Where `path` leads from `start`; a link at its end is followed.
    pub(crate) fn lookup<'p>(&self, start: &Dir, path: &'p [u8]) -> FsResult<Target<'p>> {
        self.tree.resolve(start, path, true)
    }
}
