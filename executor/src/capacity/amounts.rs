//! How much of each countable resource.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::spec::Resources;

/// A countable resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Resource {
    /// Processor time.
    Cpu,
    /// Memory.
    Memory,
    /// Disk space.
    Disk,
    /// GPUs.
    Gpu,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cpu => "CPU",
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Gpu => "GPU",
        })
    }
}

/// How much of each countable resource.
///
/// Displayed as Bacalhau writes it: `{CPU: 0.50, Memory: 512 MB, Disk: 0 B, GPU: 0}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Amounts {
    /// Processor time, in thousandths of a core.
    pub cpu_milli: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Disk space, in bytes.
    pub disk_bytes: u64,
    /// Number of GPUs.
    pub gpus: u64,
}

impl Amounts {
    fn zip(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            cpu_milli: combine(self.cpu_milli, other.cpu_milli),
            memory_bytes: combine(self.memory_bytes, other.memory_bytes),
            disk_bytes: combine(self.disk_bytes, other.disk_bytes),
            gpus: combine(self.gpus, other.gpus),
        }
    }

    /// Field by field the sum.
    pub fn saturating_add(&self, other: &Self) -> Self {
        self.zip(other, u64::saturating_add)
    }

    /// Field by field the difference, 0 where more is taken than there is.
    pub fn saturating_sub(&self, other: &Self) -> Self {
        self.zip(other, u64::saturating_sub)
    }

    /// Field by field the larger.
    pub fn max(&self, other: &Self) -> Self {
        self.zip(other, u64::max)
    }

    /// Field by field its own, or the default's where it is 0.
    pub fn or(&self, default: &Self) -> Self {
        self.zip(default, |own, default| if own == 0 { default } else { own })
    }

    /// The first resource of which this is more than `limit` has.
    pub fn exceeds(&self, limit: &Self) -> Option<Resource> {
        [
            (self.cpu_milli > limit.cpu_milli, Resource::Cpu),
            (self.memory_bytes > limit.memory_bytes, Resource::Memory),
            (self.disk_bytes > limit.disk_bytes, Resource::Disk),
            (self.gpus > limit.gpus, Resource::Gpu),
        ]
        .into_iter()
        .find_map(|(over, resource)| over.then_some(resource))
    }

    /// Whether `limit` has enough of everything.
    pub fn fits(&self, limit: &Self) -> bool {
        self.exceeds(limit).is_none()
    }

    /// Whether it is nothing at all.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }
}

impl From<&Resources> for Amounts {
    fn from(asked: &Resources) -> Self {
        Self {
            cpu_milli: asked.cpu.millis(),
            memory_bytes: asked.memory.bytes(),
            disk_bytes: asked.disk.bytes(),
            gpus: asked.gpu,
        }
    }
}

impl fmt::Display for Amounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.cpu_milli.saturating_add(5) / 10;
        write!(
            f,
            "{{CPU: {}.{:02}, Memory: {}, Disk: {}, GPU: {}}}",
            hundredths / 100,
            hundredths % 100,
            Size(self.memory_bytes),
            Size(self.disk_bytes),
            self.gpus,
        )
    }
}

/// Bytes with a decimal unit and at most two digits that count below ten: `2.0 GB`, `512 MB`, `7 B`.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 10 {
            return write!(f, "{} B", self.0);
        }
        const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
        let exponent = self.0.ilog10() / 3;
        let unit = 1_000_u128.pow(exponent);
        let tenths = (u128::from(self.0) * 10 + unit / 2) / unit;
        let name = UNITS.get(exponent as usize).unwrap_or(&"EB");
        if tenths < 100 {
            write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
        } else {
            write!(f, "{} {name}", (tenths + 5) / 10)
        }
    }
}
