//! The guest's memory: every access by checked bounds.

use super::abi::Errno;

/// Parts of one scattered read or write, as Linux's `IOV_MAX`.
const IOVECS_MAX: u32 = 1_024;

/// The memory that the calling module exports.
#[derive(Debug)]
pub(super) struct Memory<'a>(&'a mut [u8]);

/// A part of memory named by the guest: known to lie in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }
}

impl<'a> Memory<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self(bytes)
    }

    /// The part of `len` bytes at `at`.
    pub(super) fn span(&self, at: u32, len: u32) -> Result<Span, Errno> {
        let start = at as usize;
        let end = start.checked_add(len as usize).ok_or(Errno::FAULT)?;
        if end > self.0.len() { Err(Errno::FAULT) } else { Ok(Span { start, end }) }
    }

    pub(super) fn bytes(&self, span: Span) -> &[u8] {
        &self.0[span.start..span.end]
    }

    pub(super) fn bytes_mut(&mut self, span: Span) -> &mut [u8] {
        &mut self.0[span.start..span.end]
    }

    /// The bytes of `len` at `at`.
    pub(super) fn get(&self, at: u32, len: u32) -> Result<&[u8], Errno> {
        Ok(self.bytes(self.span(at, len)?))
    }

    fn array<const N: usize>(&self, at: u32) -> Result<[u8; N], Errno> {
        let start = at as usize;
        let bytes = self.0.get(start..).and_then(|rest| rest.first_chunk::<N>());
        bytes.copied().ok_or(Errno::FAULT)
    }

    pub(super) fn u8(&self, at: u32) -> Result<u8, Errno> {
        Ok(self.array::<1>(at)?[0])
    }

    pub(super) fn u16(&self, at: u32) -> Result<u16, Errno> {
        self.array(at).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&self, at: u32) -> Result<u32, Errno> {
        self.array(at).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&self, at: u32) -> Result<u64, Errno> {
        self.array(at).map(u64::from_le_bytes)
    }

    /// Writes bytes at `at`.
    pub(super) fn put(&mut self, at: u32, bytes: &[u8]) -> Result<(), Errno> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::FAULT)?;
        let span = self.span(at, len)?;
        self.bytes_mut(span).copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn put_u32(&mut self, at: u32, value: u32) -> Result<(), Errno> {
        self.put(at, &value.to_le_bytes())
    }

    pub(super) fn put_u64(&mut self, at: u32, value: u64) -> Result<(), Errno> {
        self.put(at, &value.to_le_bytes())
    }

    /// Checks the list of buffers at `at`: none may lie outside, and their sum fits a `size`.
    pub(super) fn iovecs(&self, at: u32, count: u32) -> Result<Iovecs, Errno> {
        if count > IOVECS_MAX {
            return Err(Errno::INVAL);
        }
        let list = self.span(at, count * 8)?;
        let iovecs = Iovecs { list };
        let mut total: u32 = 0;
        for i in 0..iovecs.count() {
            let len = u32::try_from(iovecs.get(self, i)?.len()).map_err(|_| Errno::INVAL)?;
            total = total.checked_add(len).ok_or(Errno::INVAL)?;
        }
        Ok(iovecs)
    }
}

/// A list of buffers in the guest's memory. A read into them may overwrite the list: it is looked at anew.
#[derive(Debug, Clone, Copy)]
pub(super) struct Iovecs {
    list: Span,
}

impl Iovecs {
    pub(super) fn count(self) -> usize {
        self.list.len() / 8
    }

    /// The buffer number `i`.
    pub(super) fn get(self, memory: &Memory<'_>, i: usize) -> Result<Span, Errno> {
        let entry = u32::try_from(self.list.start + i * 8).map_err(|_| Errno::FAULT)?;
        memory.span(memory.u32(entry)?, memory.u32(entry.checked_add(4).ok_or(Errno::FAULT)?)?)
    }
}
