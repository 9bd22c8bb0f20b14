//! Numbers as ECMAScript's `Number::toString` writes them.

use super::CanonicalError;

/// The largest integer of which every smaller one is a double too: 2⁵³ − 1.
const INTEGER_MAX: i128 = (1 << 53) - 1;

/// Above [`INTEGER_MAX`] only integers that a reader of doubles would write back unchanged are taken.
pub(super) fn put_integer(out: &mut Vec<u8>, value: i128) -> Result<(), CanonicalError> {
    let text = value.to_string();
    if !(-INTEGER_MAX..=INTEGER_MAX).contains(&value) {
        let mut as_double = Vec::new();
        #[allow(clippy::cast_precision_loss)] // Whether precision is lost is the question.
        put_double(&mut as_double, value as f64)?;
        if as_double != text.as_bytes() {
            return Err(CanonicalError::Integer(value));
        }
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// The fewest digits that read back as `value`, of those the nearest, of two equally near the even one.
fn shortest(value: f64) -> String {
    let text = format!("{value:e}");
    let decimals = text.find('e').map_or(0, |end| end.saturating_sub(2));
    // Rust's shortest form does not settle ties as ECMAScript does; its form of fixed length rounds to even.
    let rounded = format!("{value:.decimals$e}");
    if rounded.parse() == Ok(value) { rounded } else { text }
}

/// Source: ECMA-262, Number::toString.
pub(super) fn put_double(out: &mut Vec<u8>, value: f64) -> Result<(), CanonicalError> {
    if !value.is_finite() {
        return Err(CanonicalError::NotFinite);
    }
    if value == 0.0 {
        out.push(b'0');
        return Ok(());
    }
    if value < 0.0 {
        out.push(b'-');
    }
    let text = shortest(value.abs());
    let (mantissa, exponent) = text.split_once('e').expect("scientific notation has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent of a double is small");
    let digits: Vec<u8> = mantissa.bytes().filter(|byte| *byte != b'.').collect();
    // The decimal point stands after this many digits.
    let point = exponent + 1;
    let count = i32::try_from(digits.len()).expect("a double has at most 17 digits");
    let zeros = |out: &mut Vec<u8>, count: i32| (0..count).for_each(|_| out.push(b'0'));
    match point {
        1..=21 if count <= point => {
            out.extend_from_slice(&digits);
            zeros(out, point - count);
        }
        1..=21 => {
            let (whole, fraction) = digits.split_at(usize::try_from(point).expect("it is positive"));
            out.extend_from_slice(whole);
            out.push(b'.');
            out.extend_from_slice(fraction);
        }
        -5..=0 => {
            out.extend_from_slice(b"0.");
            zeros(out, -point);
            out.extend_from_slice(&digits);
        }
        _ => {
            out.push(digits[0]);
            if count > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            out.push(b'e');
            out.push(if exponent < 0 { b'-' } else { b'+' });
            out.extend_from_slice(exponent.unsigned_abs().to_string().as_bytes());
        }
    }
    Ok(())
}
