//! The JSON schema of a job in its canonical spelling.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::engine::{DockerParams, ENGINE_DOCKER, ENGINE_WASM, EngineSpec, WasmParams};
use super::input::{
    InlineSource, IpfsSource, LocalSource, S3Source, SOURCE_INLINE, SOURCE_IPFS, SOURCE_LOCAL,
    SOURCE_LOCAL_DIRECTORY, SOURCE_S3, SOURCE_URL, Source, UrlSource,
};
use super::job::Job;

/// The JSON schema (2020-12) of a job file in its canonical spelling.
///
/// Reading accepts more: keys in any case, and the forms of older Bacalhau versions.
pub fn job_schema() -> Value {
    let mut schema = schemars::schema_for!(Job);
    schema.insert("title".to_owned(), "Frogfish job".into());
    schema.to_value()
}

/// The schema of `{"Type": name, "Params": …}`.
fn variant(name: &str, params: &Schema) -> Value {
    json!({
        "type": "object",
        "properties": { "Type": { "const": name }, "Params": params },
        "required": ["Type", "Params"],
        "additionalProperties": false,
    })
}

/// The schema of a type that is none of the known ones.
fn other(known: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": {
            "Type": { "type": "string", "minLength": 1, "not": { "enum": known } },
            "Params": { "type": "object" },
        },
        "required": ["Type"],
        "additionalProperties": false,
    })
}

impl JsonSchema for EngineSpec {
    fn schema_name() -> Cow<'static, str> {
        "Engine".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "What a task runs.",
            "oneOf": [
                variant(ENGINE_WASM, &generator.subschema_for::<WasmParams>()),
                variant(ENGINE_DOCKER, &generator.subschema_for::<DockerParams>()),
                other(&[ENGINE_WASM, ENGINE_DOCKER]),
            ],
        })
    }
}

impl JsonSchema for Source {
    fn schema_name() -> Cow<'static, str> {
        "Source".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let local = generator.subschema_for::<LocalSource>();
        let known = [SOURCE_INLINE, SOURCE_LOCAL, SOURCE_LOCAL_DIRECTORY, SOURCE_URL, SOURCE_S3, SOURCE_IPFS];
        json_schema!({
            "description": "Where an input comes from.",
            "oneOf": [
                variant(SOURCE_INLINE, &generator.subschema_for::<InlineSource>()),
                variant(SOURCE_LOCAL, &local),
                variant(SOURCE_LOCAL_DIRECTORY, &local),
                variant(SOURCE_URL, &generator.subschema_for::<UrlSource>()),
                variant(SOURCE_S3, &generator.subschema_for::<S3Source>()),
                variant(SOURCE_IPFS, &generator.subschema_for::<IpfsSource>()),
                other(&known),
            ],
        })
    }
}
