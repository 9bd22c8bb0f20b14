//! The guest's open descriptors.

use crate::wasm::vfs::{Dir, Entry, File};

use super::Fault;
use super::abi::{DIR_RIGHTS, Errno, FILE_RIGHTS, STDIN_RIGHTS, STDOUT_RIGHTS};
use crate::capture::Stream;

/// Entries of all folders together that are being read at once.
const LISTED_ENTRIES_MAX: usize = 1 << 20;

/// What a descriptor stands for.
#[derive(Debug)]
pub(super) enum Kind {
    /// At its end from the start.
    Stdin,
    Output(Stream),
    File(File),
    Dir {
        dir: Dir,
        /// What was listed when the guest began to read the folder.
        listed: Option<Vec<Entry>>,
    },
}

/// An open descriptor.
#[derive(Debug)]
pub(super) struct Descriptor {
    pub(super) kind: Kind,
    pub(super) flags: u16,
    pub(super) rights: u64,
    pub(super) inheriting: u64,
    /// The path it is announced under before the guest starts.
    pub(super) preopened: Option<&'static str>,
}

/// All descriptors of a guest, by number.
#[derive(Debug)]
pub(crate) struct Descriptors {
    slots: Vec<Option<Descriptor>>,
    count_max: usize,
}

impl Descriptors {
    /// The streams at 0 to 2 and the folder `/` at 3; at most `count_max` at once.
    pub(crate) fn new(root: Dir, count_max: usize) -> Self {
        let stream = |kind, rights| Descriptor { kind, flags: 0, rights, inheriting: 0, preopened: None };
        let root = Descriptor {
            kind: Kind::Dir { dir: root, listed: None },
            flags: 0,
            rights: DIR_RIGHTS,
            inheriting: DIR_RIGHTS | FILE_RIGHTS,
            preopened: Some("/"),
        };
        let slots = vec![
            Some(stream(Kind::Stdin, STDIN_RIGHTS)),
            Some(stream(Kind::Output(Stream::Stdout), STDOUT_RIGHTS)),
            Some(stream(Kind::Output(Stream::Stderr), STDOUT_RIGHTS)),
            Some(root),
        ];
        Self { slots, count_max }
    }

    pub(super) fn get(&self, fd: u32) -> Result<&Descriptor, Errno> {
        self.slots.get(fd as usize).and_then(Option::as_ref).ok_or(Errno::BADF)
    }

    pub(super) fn get_mut(&mut self, fd: u32) -> Result<&mut Descriptor, Errno> {
        self.slots.get_mut(fd as usize).and_then(Option::as_mut).ok_or(Errno::BADF)
    }

    /// The file open at `fd`.
    pub(super) fn file(&self, fd: u32) -> Result<&File, Errno> {
        match &self.get(fd)?.kind {
            Kind::File(file) => Ok(file),
            _ => Err(Errno::BADF),
        }
    }

    /// The folder open at `fd`.
    pub(super) fn dir(&self, fd: u32) -> Result<&Dir, Errno> {
        match &self.get(fd)?.kind {
            Kind::Dir { dir, .. } => Ok(dir),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// Whether another one may be opened.
    pub(super) fn has_room(&self) -> Result<(), Errno> {
        let free = self.slots.len() < self.count_max || self.slots.iter().any(Option::is_none);
        if free { Ok(()) } else { Err(Errno::MFILE) }
    }

    /// Puts a descriptor at the lowest free number.
    pub(super) fn insert(&mut self, descriptor: Descriptor) -> Result<u32, Errno> {
        self.has_room()?;
        let free = self.slots.iter().position(Option::is_none);
        let at = free.unwrap_or(self.slots.len());
        if free.is_none() {
            self.slots.push(None);
        }
        self.slots[at] = Some(descriptor);
        u32::try_from(at).map_err(|_| Errno::MFILE)
    }

    /// Keeps what is in the folder open at `fd` while the guest reads it.
    pub(super) fn list(&mut self, fd: u32, entries: Vec<Entry>) -> Result<(), Errno> {
        let kept = |open: &Descriptor| match &open.kind {
            Kind::Dir { listed: Some(listed), .. } => listed.len(),
            _ => 0,
        };
        let total: usize = self.slots.iter().flatten().map(kept).sum();
        if total + entries.len() > LISTED_ENTRIES_MAX {
            return Err(Errno::OVERFLOW);
        }
        if let Kind::Dir { listed, .. } = &mut self.get_mut(fd)?.kind {
            *listed = Some(entries);
        }
        Ok(())
    }

    /// What was in the folder open at `fd`.
    pub(super) fn listed(&self, fd: u32) -> Result<&[Entry], Errno> {
        match &self.get(fd)?.kind {
            Kind::Dir { listed: Some(listed), .. } => Ok(listed),
            _ => Err(Errno::NOTDIR),
        }
    }

    /// Closes a descriptor.
    pub(super) fn close(&mut self, fd: u32) -> Result<(), Errno> {
        self.get(fd)?;
        self.slots[fd as usize] = None;
        Ok(())
    }

    /// Moves the descriptor `from` to the number `to`, closing what is open there.
    pub(super) fn renumber(&mut self, from: u32, to: u32) -> Result<(), Fault> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            let moved = self.slots[from as usize].take();
            self.slots[to as usize] = moved;
        }
        Ok(())
    }
}
