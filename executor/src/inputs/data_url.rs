//! RFC 2397 `data:` URLs.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A `data:` URL, not yet decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataUrl<'a> {
    /// The media type without parameters; empty if the URL has none.
    pub(super) media_type: &'a str,
    is_base64: bool,
    data: &'a str,
}

/// Why a text is no `data:` URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DataUrlError {
    #[error("it does not begin with `data:`")]
    Scheme,
    #[error("it has no comma before the data")]
    Comma,
    #[error("a `%` is not followed by two hexadecimal digits")]
    Percent,
    #[error("its data is not base64")]
    Base64,
}

impl<'a> DataUrl<'a> {
    pub(super) fn parse(url: &'a str) -> Result<Self, DataUrlError> {
        const SCHEME: &str = "data:";
        let is_data = url.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME));
        if !is_data {
            return Err(DataUrlError::Scheme);
        }
        let (head, data) = url[SCHEME.len()..].split_once(',').ok_or(DataUrlError::Comma)?;
        let mut parts = head.split(';');
        let media_type = parts.next().unwrap_or_default().trim();
        let is_base64 = parts.next_back().is_some_and(|last| last.trim().eq_ignore_ascii_case("base64"));
        Ok(Self { media_type, is_base64, data })
    }

    /// Whether the media type is this one.
    pub(super) fn is(&self, media_type: &str) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type)
    }

    /// Bytes that decoding gives at most, without decoding.
    pub(super) fn bytes_max(&self) -> u64 {
        let text = self.data.len() as u64;
        if self.is_base64 { text.div_ceil(4) * 3 } else { text }
    }

    pub(super) fn decode(&self) -> Result<Vec<u8>, DataUrlError> {
        let bytes = unescape(self.data.as_bytes())?;
        if !self.is_base64 {
            return Ok(bytes.into_owned());
        }
        // A job file may have broken the text into lines.
        let text: Cow<'_, [u8]> = if bytes.iter().any(u8::is_ascii_whitespace) {
            bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
        } else {
            bytes
        };
        BASE64.decode(text).map_err(|_| DataUrlError::Base64)
    }
}

fn unescape(text: &[u8]) -> Result<Cow<'_, [u8]>, DataUrlError> {
    if !text.contains(&b'%') {
        return Ok(text.into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let ([high, low], after) = rest.split_first_chunk().ok_or(DataUrlError::Percent)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let (high, low) = digit(*high).zip(digit(*low)).ok_or(DataUrlError::Percent)?;
        bytes.push(high << 4 | low);
        rest = after;
    }
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(url: &str) -> Result<Vec<u8>, DataUrlError> {
        DataUrl::parse(url)?.decode()
    }

    #[test]
    fn data_is_escaped_text_or_base64() {
        for (url, data) in [
            ("data:,hello%20w", "hello w"),
            ("data:text/plain;charset=utf-8,a,b;c", "a,b;c"),
            ("data:text/plain;charset=utf-8;base64,aGk=", "hi"),
            ("DATA:;BASE64,aGk", "hi"),
            ("data:;base64,aG%6B%3D", "hi"),
            ("data:;base64,aG\n k=\n", "hi"),
            ("data:,", ""),
            ("data:base64,aGk=", "aGk="),
        ] {
            assert_eq!(decoded(url).as_deref(), Ok(data.as_bytes()), "{url}");
        }
        for (url, error) in [
            ("", DataUrlError::Scheme),
            ("http://x", DataUrlError::Scheme),
            ("data:;base64", DataUrlError::Comma),
            ("data:,100%", DataUrlError::Percent),
            ("data:,%+1", DataUrlError::Percent),
            ("data:;base64,a", DataUrlError::Base64),
            ("data:;base64,a-_b", DataUrlError::Base64),
        ] {
            assert_eq!(decoded(url), Err(error), "{url}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_decoded_or_refused_within_its_announced_size(text in "(data:)?\\PC{0,60}") {
            if let Ok(url) = DataUrl::parse(&text)
                && let Ok(bytes) = url.decode()
            {
                prop_assert!(bytes.len() as u64 <= url.bytes_max());
            }
        }

        #[test]
        fn any_bytes_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let base64 = format!("data:x/y;base64,{}", BASE64.encode(&bytes));
            prop_assert_eq!(decoded(&base64), Ok(bytes.clone()));
            let escaped: Vec<_> = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(decoded(&format!("data:,{}", escaped.concat())), Ok(bytes));
        }
    }
}
