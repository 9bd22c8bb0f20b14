//! What a plain YAML scalar means.
//!
//! Source: go-yaml v2, which Bacalhau reads its job files with (through sigs.k8s.io/yaml): YAML 1.1 booleans (`yes`, `on`),
//! integers as Go writes them (`0x1f`, `0o17`, `017`, `0b11`, `1_000`), dates as text.

use std::borrow::Cow;

use serde_json::Number;

use super::NodeValue;

/// The value of a plain scalar; the text itself when it is nothing else.
///
/// *Errors*: infinities and not-a-number, which JSON cannot carry.
pub(super) fn resolve(text: Cow<'_, str>) -> Result<NodeValue<'_>, &'static str> {
    match text.as_ref() {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(NodeValue::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Ok(NodeValue::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Ok(NodeValue::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" | ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf"
        | "-.Inf" | "-.INF" => return Err("a number that is not finite"),
        _ => {}
    }
    Ok(number(&text).map_or(NodeValue::String(text), NodeValue::Number))
}

/// The number that a plain scalar stands for, if it is one.
pub(super) fn number(text: &str) -> Option<Number> {
    if !matches!(text.as_bytes().first()?, b'0'..=b'9' | b'+' | b'-' | b'.') {
        return None;
    }
    let plain: Cow<'_, str> = if text.contains('_') && !text.starts_with('.') {
        Cow::Owned(text.replace('_', ""))
    } else {
        Cow::Borrowed(text)
    };
    integer(&plain).or_else(|| float(&plain))
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // A second sign is no digit, though the standard library would take it.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    if negative { 0_i64.checked_sub_unsigned(magnitude).map(Number::from) } else { Some(magnitude.into()) }
}

fn float(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_ok = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || !exponent_ok {
        return None;
    }
    let value = text.parse::<f64>().ok()?;
    // A whole number keeps its shape, as Go's encoder prints 1e3 as 1000.
    #[allow(clippy::cast_possible_truncation, reason = "checked to be in range and whole")]
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}
