//! Numbers and layouts of preview 1.

use crate::wasm::vfs::{FileKind, Stat};

/// An error number as guests know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Errno(u16);

impl Errno {
    pub(super) const BADF: Self = Self(8);
    pub(super) const FAULT: Self = Self(21);
    pub(super) const INVAL: Self = Self(28);
    pub(super) const IO: Self = Self(29);
    pub(super) const MFILE: Self = Self(33);
    pub(super) const NAMETOOLONG: Self = Self(37);
    pub(super) const NOTDIR: Self = Self(54);
    pub(super) const NOTSUP: Self = Self(58);
    pub(super) const OVERFLOW: Self = Self(61);
    pub(super) const SPIPE: Self = Self(70);
    pub(super) const NOTCAPABLE: Self = Self(76);

    pub(super) fn number(self) -> u16 {
        self.0
    }
}

impl From<rustix::io::Errno> for Errno {
    fn from(errno: rustix::io::Errno) -> Self {
        use rustix::io::Errno as Host;
        Self(match errno {
            Host::TOOBIG => 1,
            Host::ACCESS => 2,
            Host::AGAIN => 6,
            Host::BADF => 8,
            Host::BUSY => 10,
            Host::DQUOT => 19,
            Host::EXIST => 20,
            Host::FAULT => 21,
            Host::FBIG => 22,
            Host::ILSEQ => 25,
            Host::INTR => 27,
            Host::INVAL => 28,
            Host::ISDIR => 31,
            Host::LOOP => 32,
            Host::MFILE => 33,
            Host::MLINK => 34,
            Host::NAMETOOLONG => 37,
            Host::NFILE => 41,
            Host::NODEV => 43,
            Host::NOENT => 44,
            Host::NOLCK => 46,
            Host::NOMEM => 48,
            Host::NOSPC => 51,
            Host::NOSYS => 52,
            Host::NOTDIR => 54,
            Host::NOTEMPTY => 55,
            Host::OPNOTSUPP => 58,
            Host::NXIO => 60,
            Host::OVERFLOW => 61,
            Host::PERM => 63,
            Host::PIPE => 64,
            Host::RANGE => 68,
            Host::ROFS => 69,
            Host::SPIPE => 70,
            Host::STALE => 72,
            Host::TXTBSY => 74,
            Host::XDEV => 75,
            _ => 29,
        })
    }
}

pub(super) const RIGHT_FD_READ: u64 = 1 << 1;
pub(super) const RIGHT_FD_WRITE: u64 = 1 << 6;
pub(super) const RIGHT_FD_ALLOCATE: u64 = 1 << 8;
pub(super) const RIGHT_FD_READDIR: u64 = 1 << 14;
pub(super) const RIGHT_SET_SIZE: u64 = 1 << 22;
const RIGHT_FD_SEEK: u64 = 1 << 2;
const RIGHT_FD_TELL: u64 = 1 << 5;
const RIGHT_POLL: u64 = 1 << 27;
const RIGHT_SET_FLAGS: u64 = 1 << 3;
const RIGHT_FILESTAT_GET: u64 = 1 << 21;
const RIGHT_FILESTAT_SET_TIMES: u64 = 1 << 23;

/// Rights of the streams: no seeking, which with a terminal's type would make them look like one.
pub(super) const STDIN_RIGHTS: u64 = RIGHT_FD_READ | RIGHT_SET_FLAGS | RIGHT_FILESTAT_GET | RIGHT_POLL;
pub(super) const STDOUT_RIGHTS: u64 = RIGHT_FD_WRITE | RIGHT_SET_FLAGS | RIGHT_FILESTAT_GET | RIGHT_POLL;
/// Everything that can be done with a file.
pub(super) const FILE_RIGHTS: u64 = 1
    | RIGHT_FD_READ
    | RIGHT_FD_SEEK
    | RIGHT_SET_FLAGS
    | 1 << 4
    | RIGHT_FD_TELL
    | RIGHT_FD_WRITE
    | 1 << 7
    | RIGHT_FD_ALLOCATE
    | RIGHT_FILESTAT_GET
    | RIGHT_SET_SIZE
    | RIGHT_FILESTAT_SET_TIMES
    | RIGHT_POLL;
/// Everything that can be done with a folder.
pub(super) const DIR_RIGHTS: u64 = RIGHT_SET_FLAGS
    | 1 << 4
    | 1 << 7
    | 0x3f << 9
    | RIGHT_FD_READDIR
    | 0x3f << 15
    | RIGHT_FILESTAT_GET
    | RIGHT_FILESTAT_SET_TIMES
    | 0x7 << 24
    | RIGHT_POLL;

pub(super) const OFLAG_CREAT: u32 = 1;
pub(super) const OFLAG_DIRECTORY: u32 = 2;
pub(super) const OFLAG_EXCL: u32 = 4;
pub(super) const OFLAG_TRUNC: u32 = 8;

pub(super) const FDFLAG_APPEND: u16 = 1;
pub(super) const FDFLAG_DSYNC: u16 = 2;
pub(super) const FDFLAG_NONBLOCK: u16 = 4;
pub(super) const FDFLAG_RSYNC: u16 = 8;
pub(super) const FDFLAG_SYNC: u16 = 16;
pub(super) const FDFLAGS: u16 = 31;

pub(super) const LOOKUP_FOLLOW: u32 = 1;

/// A file type's number.
pub(super) fn file_type(kind: FileKind) -> u8 {
    match kind {
        FileKind::Unknown => 0,
        FileKind::Block => 1,
        FileKind::Character => 2,
        FileKind::Dir => 3,
        FileKind::Regular => 4,
        FileKind::Socket => 6,
        FileKind::Link => 7,
    }
}

/// `filestat`, 64 bytes.
pub(super) fn filestat(stat: &Stat) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[16] = file_type(stat.kind);
    let numbers = [
        (0, stat.dev),
        (8, stat.ino),
        (24, stat.links),
        (32, stat.size),
        (40, stat.atime_ns),
        (48, stat.mtime_ns),
        (56, stat.ctime_ns),
    ];
    for (at, number) in numbers {
        bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// `fdstat`, 24 bytes.
pub(super) fn fdstat(kind: FileKind, flags: u16, base: u64, inheriting: u64) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[0] = file_type(kind);
    bytes[2..4].copy_from_slice(&flags.to_le_bytes());
    bytes[8..16].copy_from_slice(&base.to_le_bytes());
    bytes[16..24].copy_from_slice(&inheriting.to_le_bytes());
    bytes
}

/// The head of `dirent`, 24 bytes; the name follows it.
pub(super) fn dirent(next: u64, ino: u64, name_len: u32, kind: FileKind) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(&next.to_le_bytes());
    bytes[8..16].copy_from_slice(&ino.to_le_bytes());
    bytes[16..20].copy_from_slice(&name_len.to_le_bytes());
    bytes[20] = file_type(kind);
    bytes
}
