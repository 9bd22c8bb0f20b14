//! Sizes, CPU shares and durations as they are written in a job.
//!
//! Source: Bacalhau v1.9.3 reads sizes with go-humanize, CPU with k8sresource and durations with Go's
//! `time.ParseDuration`; the spellings accepted here are theirs.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A text that is not a size, a CPU share or a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what} value: {text}")]
pub struct UnitError {
    what: &'static str,
    text: String,
}

impl UnitError {
    fn new(what: &'static str, text: &str) -> Self {
        // What was written may be megabytes long; an error quotes the beginning of it.
        let text = text.chars().take(80).collect();
        Self { what, text }
    }
}

/// A number of bytes, read from `42`, `42MB` (10⁶), `42MiB` (2²⁰), `1.5g`, `1,000 kb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(u64);

impl ByteSize {
    /// The size of this many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The size in bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// Unit names and what they multiply by, largest first within each kind, so that printing takes the first that divides.
const BYTE_UNITS: [(&str, u64); 13] = [
    ("eib", 1 << 60),
    ("pib", 1 << 50),
    ("tib", 1 << 40),
    ("gib", 1 << 30),
    ("mib", 1 << 20),
    ("kib", 1 << 10),
    ("eb", 1_000_000_000_000_000_000),
    ("pb", 1_000_000_000_000_000),
    ("tb", 1_000_000_000_000),
    ("gb", 1_000_000_000),
    ("mb", 1_000_000),
    ("kb", 1_000),
    ("b", 1),
];

fn unit_bytes(unit: &str) -> Option<u64> {
    if unit.is_empty() {
        return Some(1);
    }
    BYTE_UNITS
        .iter()
        .find(|(name, _)| unit == *name || (name.len() > 1 && Some(unit) == name.strip_suffix('b')))
        .map(|(_, bytes)| *bytes)
}

/// Lower-cases and drops blanks, as Bacalhau does with every resource text before it is read.
pub(super) fn squeeze(text: &str) -> String {
    text.chars().filter(|c| *c != ' ' && *c != '\n').flat_map(char::to_lowercase).collect()
}

impl FromStr for ByteSize {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError::new("size", text);
        let squeezed = squeeze(text);
        let end =
            squeezed.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(squeezed.len());
        let (number, unit) = squeezed.split_at(end);
        let factor = unit_bytes(unit.trim()).ok_or_else(error)?;
        let number = number.replace(',', "");
        // Whole numbers stay exact: a float would lose the last bytes above 2⁵³.
        if let Ok(whole) = number.parse::<u64>() {
            return whole.checked_mul(factor).map(Self).ok_or_else(error);
        }
        if !number.bytes().any(|b| b.is_ascii_digit()) {
            return Err(error());
        }
        let float = number.parse::<f64>().map_err(|_| error())?;
        #[allow(clippy::cast_precision_loss, reason = "a decimal size is approximate, as upstream's")]
        let bytes = float * factor as f64;
        #[allow(clippy::cast_precision_loss, reason = "2^64 is exact")]
        if !(0.0..u64::MAX as f64).contains(&bytes) {
            return Err(error());
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
        Ok(Self(bytes as u64))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = BYTE_UNITS.iter().filter(|(_, bytes)| self.0 != 0 && self.0.is_multiple_of(*bytes));
        // The shortest exact spelling: 512mb is 512mb, not 500000kib.
        match unit.max_by_key(|(_, bytes)| *bytes) {
            Some(("b", _)) | None => write!(f, "{}", self.0),
            Some((name, bytes)) => write!(f, "{}{name}", self.0 / bytes),
        }
    }
}

/// A CPU share in thousandths of a core, read from `500m`, `0.5`, `2`.
///
/// Fractions of a thousandth are rounded up (upstream truncates them, and `0.0005` asks for nothing there).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MilliCpu(u64);

impl MilliCpu {
    /// The share of this many thousandths of a core.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// The share in thousandths of a core.
    pub const fn millis(self) -> u64 {
        self.0
    }
}

impl FromStr for MilliCpu {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError::new("CPU", text);
        let squeezed = squeeze(text);
        let (number, places) = match squeezed.strip_suffix('m') {
            Some(number) => (number, 0),
            None => (squeezed.as_str(), 3),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
            return Err(error());
        }
        let mut millis = if whole.is_empty() { 0 } else { whole.parse::<u64>().map_err(|_| error())? };
        let mut rest = fraction.bytes();
        for _ in 0..places {
            let digit = rest.next().map_or(0, |b| u64::from(b - b'0'));
            millis = millis.checked_mul(10).and_then(|m| m.checked_add(digit)).ok_or_else(error)?;
        }
        if rest.any(|b| b != b'0') {
            millis = millis.checked_add(1).ok_or_else(error)?;
        }
        Ok(Self(millis))
    }
}

impl fmt::Display for MilliCpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) { write!(f, "{}", self.0 / 1000) } else { write!(f, "{}m", self.0) }
    }
}

/// A duration as Go prints it (`1h2m3s`, `1.5s`, `250ms`), or whole seconds (`90`).
///
/// *Units*: nanoseconds in an `i64`, so ± 292 years, as Go's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GoDuration(i64);

const SECOND_NS: i64 = 1_000_000_000;

impl GoDuration {
    /// The duration of this many nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The duration of this many seconds; nothing when it does not fit.
    pub fn from_secs(secs: i64) -> Option<Self> {
        secs.checked_mul(SECOND_NS).map(Self)
    }

    /// The duration in nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// The duration as the standard library's; nothing when it is negative.
    pub fn to_std(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_nanos)
    }

    /// The same duration in Go's terms; the longest one when it does not fit.
    pub fn from_std(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

const DURATION_UNITS: [(&str, u64); 8] = [
    // Longest names first, for `ms` begins with `m`.
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads one `12.5m` from the front; gives its nanoseconds and what follows.
fn duration_part(text: &str) -> Option<(u64, &str)> {
    let whole_end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, mut rest) = text.split_at(whole_end);
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        (fraction, rest) = after.split_at(end);
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (name, unit_ns) = DURATION_UNITS.iter().find(|(name, _)| rest.starts_with(name))?;
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let mut nanos = u128::from(whole.checked_mul(*unit_ns)?);
    let (mut scale, mut part) = (1_u128, 0_u128);
    // Digits beyond a nanosecond of an hour change nothing.
    for digit in fraction.bytes().take(18) {
        scale *= 10;
        part = part * 10 + u128::from(digit - b'0');
    }
    nanos += part * u128::from(*unit_ns) / scale;
    Some((u64::try_from(nanos).ok()?, &rest[name.len()..]))
}

impl FromStr for GoDuration {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError::new("duration", text);
        let trimmed = text.trim();
        if let Ok(secs) = trimmed.parse::<i64>() {
            return Self::from_secs(secs).ok_or_else(error);
        }
        let (negative, mut rest) = match trimmed.as_bytes().first() {
            Some(b'-') => (true, &trimmed[1..]),
            Some(b'+') => (false, &trimmed[1..]),
            _ => (false, trimmed),
        };
        if rest.is_empty() {
            return Err(error());
        }
        let mut total = 0_u64;
        while !rest.is_empty() {
            let (nanos, after) = duration_part(rest).ok_or_else(error)?;
            total = total.checked_add(nanos).ok_or_else(error)?;
            rest = after;
        }
        let signed = if negative { 0_i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() };
        signed.map(Self).ok_or_else(error)
    }
}

/// Writes `value / scale` with up to nine decimals and no trailing zeros.
fn write_decimal(f: &mut fmt::Formatter<'_>, value: u64, scale: u64) -> fmt::Result {
    write!(f, "{}", value / scale)?;
    let rest = value % scale;
    if rest > 0 {
        let width = scale.ilog10() as usize;
        let mut digits = format!("{rest:0width$}");
        digits.truncate(digits.trim_end_matches('0').len());
        write!(f, ".{digits}")?;
    }
    Ok(())
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let nanos = self.0.unsigned_abs();
        match nanos {
            0 => return f.write_str("0s"),
            1..1_000 => return write!(f, "{nanos}ns"),
            1_000..1_000_000 => {
                write_decimal(f, nanos, 1_000)?;
                return f.write_str("µs");
            }
            1_000_000..1_000_000_000 => {
                write_decimal(f, nanos, 1_000_000)?;
                return f.write_str("ms");
            }
            _ => {}
        }
        let second = SECOND_NS.unsigned_abs();
        let (hours, minutes) = (nanos / (3600 * second), nanos / (60 * second) % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write_decimal(f, nanos % (60 * second), second)?;
        f.write_str("s")
    }
}

#[cfg(test)]
mod tests;
