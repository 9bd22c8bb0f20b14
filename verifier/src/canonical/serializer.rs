//! The serialiser behind canonical JSON: writes straight, and puts an object's fields in order when it ends.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use serde::ser::{self, Serialize};

use super::CanonicalError;
use super::number::{put_double, put_integer};

type Result<T = ()> = std::result::Result<T, CanonicalError>;

impl ser::Error for CanonicalError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Value(message.to_string())
    }
}

pub(super) struct Canonical<'o> {
    pub(super) out: &'o mut Vec<u8>,
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for byte in text.bytes() {
        let short = match byte {
            b'"' | b'\\' => byte,
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
    out.push(b'"');
}

/// An array being written.
pub(super) struct Array<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
    end: &'static [u8],
}

/// An object being written: where each field lies, to be put in order at the end.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    fields: Vec<(Cow<'static, str>, Range<usize>)>,
    end: &'static [u8],
}

impl<'o> Array<'o> {
    fn new(out: &'o mut Vec<u8>, end: &'static [u8]) -> Self {
        out.push(b'[');
        Self { out, first: true, end }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        value.serialize(Canonical { out: self.out })
    }

    fn finish(self) {
        self.out.extend_from_slice(self.end);
    }
}

impl<'o> Object<'o> {
    fn new(out: &'o mut Vec<u8>, fields: usize, end: &'static [u8]) -> Self {
        out.push(b'{');
        let start = out.len();
        Self { out, start, fields: Vec::with_capacity(fields.min(64)), end }
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: Cow<'static, str>, value: &T) -> Result {
        if !self.fields.is_empty() {
            self.out.push(b',');
        }
        let start = self.out.len();
        put_text(self.out, &key);
        self.out.push(b':');
        value.serialize(Canonical { out: self.out })?;
        self.fields.push((key, start..self.out.len()));
        Ok(())
    }

    fn finish(mut self) -> Result {
        let order = |a: &(Cow<'_, str>, _), b: &(Cow<'_, str>, _)| a.0.encode_utf16().cmp(b.0.encode_utf16());
        if !self.fields.is_sorted_by(|a, b| order(a, b).is_le()) {
            self.fields.sort_by(order);
            let written = self.out.split_off(self.start);
            for (_, range) in &self.fields {
                if self.out.len() > self.start {
                    self.out.push(b',');
                }
                let range = range.start - self.start..range.end - self.start;
                self.out.extend_from_slice(&written[range]);
            }
        }
        if let Some(pair) = self.fields.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(CanonicalError::DuplicateKey(pair[0].0.to_string()));
        }
        self.out.extend_from_slice(self.end);
        Ok(())
    }
}

impl<'o> ser::Serializer for Canonical<'o> {
    type Ok = ();
    type Error = CanonicalError;
    type SerializeSeq = Array<'o>;
    type SerializeTuple = Array<'o>;
    type SerializeTupleStruct = Array<'o>;
    type SerializeTupleVariant = Array<'o>;
    type SerializeMap = MapObject<'o>;
    type SerializeStruct = Object<'o>;
    type SerializeStructVariant = Object<'o>;

    fn serialize_bool(self, value: bool) -> Result {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result {
        put_integer(self.out, value.into())
    }

    fn serialize_i16(self, value: i16) -> Result {
        put_integer(self.out, value.into())
    }

    fn serialize_i32(self, value: i32) -> Result {
        put_integer(self.out, value.into())
    }

    fn serialize_i64(self, value: i64) -> Result {
        put_integer(self.out, value.into())
    }

    fn serialize_i128(self, value: i128) -> Result {
        put_integer(self.out, value)
    }

    fn serialize_u8(self, value: u8) -> Result {
        put_integer(self.out, value.into())
    }

    fn serialize_u16(self, value: u16) -> Result {
        put_integer(self.out, value.into())
    }

    fn serialize_u32(self, value: u32) -> Result {
        put_integer(self.out, value.into())
    }

    fn serialize_u64(self, value: u64) -> Result {
        put_integer(self.out, value.into())
    }

    fn serialize_u128(self, value: u128) -> Result {
        put_integer(self.out, i128::try_from(value).unwrap_or(i128::MAX))
    }

    fn serialize_f32(self, value: f32) -> Result {
        put_double(self.out, value.into())
    }

    fn serialize_f64(self, value: f64) -> Result {
        put_double(self.out, value)
    }

    fn serialize_char(self, value: char) -> Result {
        put_text(self.out, value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result {
        put_text(self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        let mut array = Array::new(self.out, b"]");
        value.iter().try_for_each(|byte| array.element(byte))?;
        array.finish();
        Ok(())
    }

    fn serialize_none(self) -> Result {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        let mut object = Object::new(self.out, 1, b"}");
        object.field(Cow::Borrowed(variant), value)?;
        object.finish()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Array<'o>> {
        Ok(Array::new(self.out, b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Array<'o>> {
        Ok(Array::new(self.out, b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Array<'o>> {
        Ok(Array::new(self.out, b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Array<'o>> {
        self.out.push(b'{');
        put_text(self.out, variant);
        self.out.push(b':');
        Ok(Array::new(self.out, b"]}"))
    }

    fn serialize_map(self, fields: Option<usize>) -> Result<MapObject<'o>> {
        Ok(MapObject { object: Object::new(self.out, fields.unwrap_or(0), b"}"), key: String::new() })
    }

    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<Object<'o>> {
        Ok(Object::new(self.out, fields, b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        fields: usize,
    ) -> Result<Object<'o>> {
        self.out.push(b'{');
        put_text(self.out, variant);
        self.out.push(b':');
        Ok(Object::new(self.out, fields, b"}}"))
    }
}

/// An object whose keys are values of their own.
pub(super) struct MapObject<'o> {
    object: Object<'o>,
    key: String,
}

impl ser::SerializeMap for MapObject<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        let mut text = Vec::new();
        key.serialize(Canonical { out: &mut text })?;
        // The reader undoes the escapes and refuses what is no text.
        self.key = serde_json::from_slice(&text).map_err(|_| CanonicalError::Key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.object.field(Cow::Owned(std::mem::take(&mut self.key)), value)
    }

    fn end(self) -> Result {
        self.object.finish()
    }
}

impl ser::SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result {
        self.field(Cow::Borrowed(key), value)
    }

    fn end(self) -> Result {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Object<'_> {
    type Ok = ();
    type Error = CanonicalError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result {
        self.field(Cow::Borrowed(key), value)
    }

    fn end(self) -> Result {
        self.finish()
    }
}

macro_rules! array {
    ($($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for Array<'_> {
            type Ok = ();
            type Error = CanonicalError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                self.element(value)
            }

            fn end(self) -> Result {
                self.finish();
                Ok(())
            }
        }
    )*};
}

array!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);
