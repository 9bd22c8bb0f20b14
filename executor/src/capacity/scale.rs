//! How much of a host may be used: a share of each resource, or a number.

use std::str::FromStr;

use thiserror::Error;

use crate::capacity::Amounts;
use crate::spec::{ByteSize, MilliCpu, ResourcesConfig};

/// A share that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid share {found:?}: a percentage between 0% and 100%, or an amount")]
pub struct InvalidShare {
    found: String,
}

impl InvalidShare {
    fn new(found: &str) -> Self {
        Self { found: found.chars().take(64).collect() }
    }
}

const MILLIONTHS: u32 = 1_000_000;

/// How much of one resource may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Millionths of what the host has.
    Part(u32),
    /// This much, even if the host has less.
    Amount(u64),
}

impl Share {
    /// This many percent.
    ///
    /// # Errors
    /// More than 100.
    pub fn percent(percent: u32) -> Result<Self, InvalidShare> {
        if percent > 100 {
            return Err(InvalidShare::new(&format!("{percent}%")));
        }
        Ok(Self::Part(percent * (MILLIONTHS / 100)))
    }

    /// Reads `80%`, or an amount as `amount` reads it.
    ///
    /// # Errors
    /// Neither a percentage between 0 and 100 nor an amount.
    pub fn parse(text: &str, amount: impl FnOnce(&str) -> Option<u64>) -> Result<Self, InvalidShare> {
        let invalid = || InvalidShare::new(text);
        let compact: String =
            text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        match compact.strip_suffix('%') {
            None => amount(&compact).map(Self::Amount).ok_or_else(invalid),
            Some(number) => {
                let millionths = read_millionths(number).ok_or_else(invalid)?;
                Ok(Self::Part(millionths))
            }
        }
    }

    fn of(self, total: u64) -> u64 {
        match self {
            Self::Amount(amount) => amount,
            Self::Part(millionths) => {
                let part = u128::from(total) * u128::from(millionths) / u128::from(MILLIONTHS);
                u64::try_from(part).unwrap_or(total)
            }
        }
    }
}

impl FromStr for Share {
    type Err = InvalidShare;

    /// Reads `80%` or a whole number.
    fn from_str(text: &str) -> Result<Self, InvalidShare> {
        Self::parse(text, |number| number.parse().ok())
    }
}

/// A percentage as millionths: `12.5` is 125 000. Digits beyond the fourth decimal are refused.
fn read_millionths(number: &str) -> Option<u32> {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 4 || whole.len() > 3 {
        return None;
    }
    let decimals_value: u32 = format!("{decimals:0<4}").parse().ok()?;
    let millionths = whole.parse::<u32>().ok()? * 10_000 + decimals_value;
    (millionths <= MILLIONTHS).then_some(millionths)
}

/// How much of a host may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaler {
    /// Of the cores; an amount is in thousandths of a core.
    pub cpu: Share,
    /// Of the memory; an amount is in bytes.
    pub memory: Share,
    /// Of the free disk space; an amount is in bytes.
    pub disk: Share,
    /// Of the GPUs; a part is at least one if there is any.
    pub gpus: Share,
}

impl Scaler {
    /// The same share of everything.
    pub fn all(share: Share) -> Self {
        Self { cpu: share, memory: share, disk: share, gpus: share }
    }

    /// Reads shares (`80%`) and amounts (`10000m`, `10GB`, `4`); an empty text is the default.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse(texts: &ResourcesConfig) -> Result<Self, InvalidShare> {
        let read = |text: &str, default: Share, amount: fn(&str) -> Option<u64>| {
            if text.trim().is_empty() { Ok(default) } else { Share::parse(text, amount) }
        };
        let default = Self::default();
        let cores: fn(&str) -> Option<u64> = |text| text.parse().ok().map(MilliCpu::millis);
        let bytes: fn(&str) -> Option<u64> = |text| text.parse().ok().map(ByteSize::bytes);
        Ok(Self {
            cpu: read(&texts.cpu, default.cpu, cores)?,
            memory: read(&texts.memory, default.memory, bytes)?,
            disk: read(&texts.disk, default.disk, bytes)?,
            gpus: read(&texts.gpu, default.gpus, |text| text.parse().ok())?,
        })
    }

    /// What may be used of what the host has, rounded down.
    pub fn apply(&self, host: &Amounts) -> Amounts {
        let gpus = match self.gpus {
            Share::Part(millionths) if millionths > 0 && host.gpus > 0 => self.gpus.of(host.gpus).max(1),
            share => share.of(host.gpus),
        };
        Amounts {
            cpu_milli: self.cpu.of(host.cpu_milli),
            memory_bytes: self.memory.of(host.memory_bytes),
            disk_bytes: self.disk.of(host.disk_bytes),
            gpus,
        }
    }
}

impl Default for Scaler {
    /// 80 % of cores, memory and free disk, every GPU (Bacalhau 1.9.3).
    fn default() -> Self {
        let share = Share::Part(MILLIONTHS / 100 * 80);
        Self { gpus: Share::Part(MILLIONTHS), ..Self::all(share) }
    }
}
