//! JSON schemas of the types whose text form is their own.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{Cid, Digest, PathName};

macro_rules! inline_schema {
    ($type:ty, $name:literal, $schema:tt) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

inline_schema!(Digest, "Digest", {
    "description": "SHA-256 digest in lower-case hexadecimal",
    "type": "string",
    "pattern": "^[0-9a-f]{64}$"
});
inline_schema!(Cid, "Cid", {
    "description": "Content identifier: CIDv0 in base 58 or CIDv1 with its multibase prefix",
    "type": "string",
    "minLength": 8,
    "maxLength": 256,
    "pattern": "^[0-9A-Za-z+_=-]+$"
});
inline_schema!(PathName, "PathName", {
    "description": "Relative path; bytes that are not UTF-8 travel as base 64",
    "oneOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"b64": {"type": "string", "pattern": "^[A-Za-z0-9+/]+={0,2}$"}},
            "required": ["b64"],
            "additionalProperties": false
        }
    ]
});
