//! What is kept of one stream: the result file to its limit, the first and the last bytes in memory.

use std::fs::File;
use std::io::{self, Write as _};

use super::StreamEnd;

/// One stream's result file, counts, first and last bytes.
pub(super) struct Kept {
    file: Option<File>,
    /// Set when the file was created, even if it is closed again.
    created: bool,
    bytes_max: u64,
    summary_bytes_max: usize,
    bytes_total: u64,
    in_file_bytes: u64,
    first: Vec<u8>,
    /// What came after `first`: at least the last `summary_bytes_max` bytes of it, at most twice as many.
    last: Vec<u8>,
}

impl Kept {
    pub(super) fn new(bytes_max: u64, summary_bytes_max: usize) -> Self {
        Self {
            file: None,
            created: false,
            bytes_max,
            summary_bytes_max,
            bytes_total: 0,
            in_file_bytes: 0,
            first: Vec::new(),
            last: Vec::new(),
        }
    }

    /// Takes the next bytes; `create` makes the file when the first byte is to be kept.
    pub(super) fn write(
        &mut self,
        bytes: &[u8],
        create: impl FnOnce() -> io::Result<File>,
    ) -> io::Result<()> {
        self.bytes_total += bytes.len() as u64;
        self.remember(bytes);
        let room = usize::try_from(self.bytes_max - self.in_file_bytes).unwrap_or(usize::MAX);
        let mut fits = &bytes[..bytes.len().min(room)];
        if fits.is_empty() {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = create()?;
                self.created = true;
                self.file.insert(file)
            }
        };
        while !fits.is_empty() {
            match file.write(fits) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.in_file_bytes += written as u64;
                    fits = &fits[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Closes the file; `create` makes it if nothing was ever kept.
    pub(super) fn close(&mut self, create: impl FnOnce() -> io::Result<File>) -> io::Result<()> {
        self.file = None;
        if !self.created {
            self.created = true;
            create()?;
        }
        Ok(())
    }

    pub(super) fn end(&self) -> StreamEnd {
        let mut summary = &self.first[..];
        let truncated = self.bytes_total > summary.len() as u64;
        if truncated {
            summary = &summary[..whole_end(summary)];
        }
        StreamEnd {
            bytes_total: self.bytes_total,
            bytes_kept: self.in_file_bytes,
            truncated: self.in_file_bytes < self.bytes_total,
            summary: summary.to_vec(),
            summary_truncated: truncated,
            tail: self.tail(),
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        let max = self.summary_bytes_max;
        let (begin, mut rest) = bytes.split_at(bytes.len().min(max - self.first.len()));
        if self.first.is_empty() && !begin.is_empty() {
            self.first.reserve(max.min(4_096));
        }
        self.first.extend_from_slice(begin);
        if rest.is_empty() || max == 0 {
            return;
        }
        if rest.len() >= max {
            self.last.clear();
            rest = &rest[rest.len() - max..];
        } else if self.last.len() + rest.len() > 2 * max {
            let keep_from = self.last.len() - (max - rest.len());
            self.last.drain(..keep_from);
        }
        if self.last.capacity() == 0 {
            self.last.reserve(2 * max.min(4_096));
        }
        self.last.extend_from_slice(rest);
    }

    fn tail(&self) -> Vec<u8> {
        let max = self.summary_bytes_max;
        let last = &self.last[self.last.len().saturating_sub(max)..];
        let before = &self.first[self.first.len() - (max - last.len()).min(self.first.len())..];
        let mut tail = [before, last].concat();
        if (tail.len() as u64) < self.bytes_total {
            tail.drain(..whole_start(&tail));
        }
        tail
    }
}

/// Where the last whole UTF-8 character of `bytes` ends; bytes that are not UTF-8 stay.
fn whole_end(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let width = match bytes[at] {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            0x80..=0xBF => continue,
            _ => 1,
        };
        return if width > back { at } else { bytes.len() };
    }
    bytes.len()
}

/// Where the first whole UTF-8 character of `bytes` begins; bytes that are not UTF-8 stay.
fn whole_start(bytes: &[u8]) -> usize {
    let cut = bytes.iter().take_while(|byte| matches!(byte, 0x80..=0xBF)).count();
    if cut <= 3 { cut } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn first_and_last_bytes_are_those_of_the_whole(
            pieces in proptest::collection::vec(proptest::collection::vec(b'a'..=b'z', 0..40), 0..30),
            max in 0_usize..50,
        ) {
            let mut kept = Kept::new(0, max);
            for piece in &pieces {
                kept.write(piece, || unreachable!()).unwrap();
            }
            let whole = pieces.concat();
            let end = kept.end();
            prop_assert_eq!(&end.summary[..], &whole[..whole.len().min(max)]);
            prop_assert_eq!(&end.tail[..], &whole[whole.len().saturating_sub(max)..]);
            prop_assert_eq!(end.summary_truncated, whole.len() > max);
            prop_assert!(kept.last.len() <= 2 * max);
        }

        #[test]
        fn text_stays_text_wherever_it_is_cut(text in "\\PC{0,60}", max in 0_usize..60) {
            let mut kept = Kept::new(0, max);
            kept.write(text.as_bytes(), || unreachable!()).unwrap();
            let end = kept.end();
            prop_assert!(text.starts_with(std::str::from_utf8(&end.summary).unwrap()));
            prop_assert!(text.ends_with(std::str::from_utf8(&end.tail).unwrap()));
        }
    }
}
