//! What a task runs: a WASM module or a Docker image, and how.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// A type name with parameters: the shape that Bacalhau uses for engines, sources and publishers.
///
/// *Layout*: `{"Type": "s3", "Params": {…}}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct SpecConfig {
    /// Which engine, source or publisher it is; empty means none.
    #[serde(rename = "Type")]
    #[schemars(default)]
    pub spec_type: String,
    /// Its parameters, as given.
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schemars(default)]
    pub params: Map<String, Value>,
}

impl SpecConfig {
    /// A type with no parameters.
    pub fn new(spec_type: impl Into<String>) -> Self {
        Self { spec_type: spec_type.into(), params: Map::new() }
    }

    /// Whether neither a type nor a parameter is given.
    pub fn is_empty(&self) -> bool {
        self.spec_type.is_empty() && self.params.is_empty()
    }

    /// Whether this is the type named, in any case.
    pub fn is_type(&self, spec_type: &str) -> bool {
        self.spec_type.eq_ignore_ascii_case(spec_type)
    }
}

/// What a task runs.
///
/// *Layout*: `{"Type": "wasm", "Params": {…}}`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EngineSpec {
    /// A WebAssembly module among the inputs.
    Wasm(WasmParams),
    /// A container image.
    Docker(DockerParams),
    /// An engine that this crate does not know.
    Other(SpecConfig),
}

/// The type name of the WASM engine.
pub const ENGINE_WASM: &str = "wasm";
/// The type name of the Docker engine.
pub const ENGINE_DOCKER: &str = "docker";

impl EngineSpec {
    /// The type name as it is written in a job: `wasm`, `docker`, or the one given.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Wasm(_) => ENGINE_WASM,
            Self::Docker(_) => ENGINE_DOCKER,
            Self::Other(spec) => &spec.spec_type,
        }
    }
}

impl Default for EngineSpec {
    fn default() -> Self {
        Self::Other(SpecConfig::default())
    }
}

impl Serialize for EngineSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Wasm(params) => typed(serializer, ENGINE_WASM, params),
            Self::Docker(params) => typed(serializer, ENGINE_DOCKER, params),
            Self::Other(spec) => spec.serialize(serializer),
        }
    }
}

/// Writes `{"Type": …, "Params": …}`.
pub(super) fn typed<S: Serializer, P: Serialize>(
    to: S,
    type_name: &str,
    params: &P,
) -> Result<S::Ok, S::Error> {
    let mut object = to.serialize_struct("SpecConfig", 2)?;
    object.serialize_field("Type", type_name)?;
    object.serialize_field("Params", params)?;
    object.end()
}

/// Parameters of the WASM engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct WasmParams {
    /// The path of the module in the job's file system: the target of an input, or below one.
    pub entry_module: String,
    /// The function to call; it takes and returns nothing.
    #[schemars(default = "default_entrypoint")]
    pub entrypoint: String,
    /// Arguments after the program name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub parameters: Vec<String>,
    /// Paths of modules whose exports the entry module may import, instantiated in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub import_modules: Vec<String>,
}

/// The entry point of a WASI command.
pub const DEFAULT_ENTRYPOINT: &str = "_start";

fn default_entrypoint() -> String {
    DEFAULT_ENTRYPOINT.to_owned()
}

impl Default for WasmParams {
    fn default() -> Self {
        Self {
            entry_module: String::new(),
            entrypoint: default_entrypoint(),
            parameters: Vec::new(),
            import_modules: Vec::new(),
        }
    }
}

/// Parameters of the Docker engine.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct DockerParams {
    /// The image reference, best with a digest.
    pub image: String,
    /// What replaces the image's entry point; empty keeps it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub entrypoint: Vec<String>,
    /// What replaces the image's command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub parameters: Vec<String>,
    /// `NAME=value` pairs for the container; the task's own variables win.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub environment_variables: Vec<String>,
    /// The absolute folder in which the container starts; empty keeps the image's.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub working_directory: String,
}

/// Names and values: environment, labels, metadata. Sorted, so that equal jobs print equally.
pub type StringMap = BTreeMap<String, String>;
