//! The engine of a task, the forms of Bacalhau 1.0 to 1.5 included, and publishers.

use serde_json::Map;

use super::ReadOptions;
use super::fields::{At, Reader};
use crate::spec::engine::{
    DEFAULT_ENTRYPOINT, DockerParams, ENGINE_DOCKER, ENGINE_WASM, EngineSpec, SpecConfig, StringMap,
    WasmParams,
};
use crate::spec::error::{Problem, SpecError, nearest, quote};
use crate::spec::input::InputSource;
use crate::spec::job::Task;
use crate::spec::tree::{Budget, Node, NodeValue};
use crate::spec::validate;

const ENGINES: [&str; 3] = [ENGINE_WASM, ENGINE_DOCKER, "noop"];
const PUBLISHERS: [&str; 5] = ["noop", "ipfs", "s3", "s3managed", "local"];

impl Reader<'_> {
    /// Reads the engine into the task; legacy forms add to its inputs and variables.
    pub(super) fn engine(&mut self, node: Option<Node<'_>>, at: &At<'_>, task: &mut Task) {
        let Some(node) = node else {
            let problem = Problem::new(at.path(), "invalid engine: nil spec config");
            self.refuse(problem.allowed("an object with Type and Params"));
            return;
        };
        let Some((engine_type, params)) = self.typed(node, at, &ENGINES, "engine", true) else { return };
        let here = at.key("Params");
        task.engine = match engine_type.as_str() {
            ENGINE_WASM | ENGINE_DOCKER if params.is_none() => {
                let message = format!("invalid {engine_type} engine params. cannot be nil");
                self.refuse(Problem::new(here.path(), message).allowed("an object"));
                return;
            }
            ENGINE_WASM => EngineSpec::Wasm(self.wasm(params, &here, task)),
            ENGINE_DOCKER => EngineSpec::Docker(self.docker(params, &here)),
            _ => EngineSpec::Other(SpecConfig {
                spec_type: engine_type,
                params: self.free_object(params, &here),
            }),
        };
    }

    /// The type and the parameters of an engine, a source or a publisher. A known type comes in its own spelling.
    pub(super) fn typed<'t>(
        &mut self,
        node: Node<'t>,
        at: &At<'_>,
        known: &[&str],
        what: &str,
        required: bool,
    ) -> Option<(String, Option<Node<'t>>)> {
        let line = node.line;
        let [spec_type, params] = self.object(node, at, &["Type", "Params"])?;
        let problems = self.problems.len();
        let text = self.text(spec_type, &at.key("Type"));
        if self.problems.len() > problems {
            return None;
        }
        let text = text.trim();
        if text.is_empty() {
            if required {
                let problem =
                    Problem::new(at.key("Type").path(), format!("invalid {what}: missing spec type"));
                self.refuse(problem.allowed(known.join(", ")).line(line));
                return None;
            }
            return Some((String::new(), params));
        }
        if let Some(name) = known.iter().find(|name| name.eq_ignore_ascii_case(text)) {
            return Some(((*name).to_owned(), params));
        }
        if !self.options.custom_types {
            let message = format!("invalid {what}: unknown type {}", quote(text));
            let allowed = match nearest(text, known) {
                Some(name) => format!("did you mean {name}?"),
                None => known.join(", "),
            };
            self.refuse(
                Problem::new(at.key("Type").path(), message).found(quote(text)).allowed(allowed).line(line),
            );
        }
        Some((text.to_owned(), params))
    }

    /// An object whose keys mean nothing here.
    pub(super) fn free_object(
        &mut self,
        node: Option<Node<'_>>,
        at: &At<'_>,
    ) -> Map<String, serde_json::Value> {
        match node {
            None => Map::new(),
            Some(node) if matches!(node.value, NodeValue::Object(_)) => match self.free_value(node, at) {
                serde_json::Value::Object(map) => map,
                _ => Map::new(),
            },
            Some(node) => {
                self.wrong_kind(&node, at, "an object");
                Map::new()
            }
        }
    }

    fn wasm(&mut self, params: Option<Node<'_>>, at: &At<'_>, task: &mut Task) -> WasmParams {
        let keys = ["EntryModule", "Entrypoint", "Parameters", "ImportModules", "EnvironmentVariables"];
        let mut wasm = WasmParams::default();
        let Some(values) = params.and_then(|node| self.object(node, at, &keys)) else { return wasm };
        let [entry, entrypoint, parameters, imports, env] = values;
        if let Some(entry) = entry {
            wasm.entry_module =
                self.module(entry, &at.key("EntryModule"), task, || "/wasm/entry.wasm".to_owned());
        }
        let name = self.text(entrypoint, &at.key("Entrypoint"));
        wasm.entrypoint = if name.is_empty() { DEFAULT_ENTRYPOINT.to_owned() } else { name };
        wasm.parameters = self.texts(parameters, &at.key("Parameters"));
        let here = at.key("ImportModules");
        for (index, import) in self.list(imports, &here, "module paths").into_iter().enumerate() {
            let target = || format!("/wasm/imports/module_{index}.wasm");
            let path = self.module(import, &here.index(index), task, target);
            wasm.import_modules.push(path);
        }
        for (name, value) in self.env_map(env, &at.key("EnvironmentVariables")) {
            task.env.entry(name).or_insert(value);
        }
        wasm
    }

    /// The path of a module; an input source in its place (Bacalhau 1.0 to 1.5) becomes an input of the task.
    fn module(
        &mut self,
        node: Node<'_>,
        at: &At<'_>,
        task: &mut Task,
        target: impl Fn() -> String,
    ) -> String {
        match node.value {
            NodeValue::Object(_) => {
                let Some(mut input) = self.input_source(node, at) else { return target() };
                if input.target.is_empty() {
                    input.target = target();
                }
                let path = input.target.clone();
                task.input_sources.push(input);
                path
            }
            NodeValue::String(path) => path.into_owned(),
            _ => {
                self.wrong_kind(&node, at, "the path of a module");
                String::new()
            }
        }
    }

    fn docker(&mut self, params: Option<Node<'_>>, at: &At<'_>) -> DockerParams {
        let keys = ["Image", "Entrypoint", "Parameters", "EnvironmentVariables", "WorkingDirectory"];
        let Some(values) = params.and_then(|node| self.object(node, at, &keys)) else {
            return DockerParams::default();
        };
        let [image, entrypoint, parameters, env, folder] = values;
        let here = at.key("EnvironmentVariables");
        DockerParams {
            image: self.text(image, &at.key("Image")),
            entrypoint: self.texts(entrypoint, &at.key("Entrypoint")),
            parameters: self.texts(parameters, &at.key("Parameters")),
            environment_variables: match env {
                Some(node) if matches!(node.value, NodeValue::Object(_)) => self
                    .text_map(Some(node), &here)
                    .into_iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
                env => self.texts(env, &here),
            },
            working_directory: self.text(folder, &at.key("WorkingDirectory")),
        }
    }

    /// Variables as an object or as a list of `NAME=value`.
    fn env_map(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> StringMap {
        match node {
            Some(node) if matches!(node.value, NodeValue::List(_)) => {
                let pairs = self.texts(Some(node), at).into_iter();
                pairs
                    .map(|pair| match pair.split_once('=') {
                        Some((name, value)) => (name.to_owned(), value.to_owned()),
                        None => (pair, String::new()),
                    })
                    .collect()
            }
            node => self.text_map(node, at),
        }
    }

    pub(super) fn publisher(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> SpecConfig {
        let Some(node) = node else { return SpecConfig::default() };
        let Some((spec_type, params)) = self.typed(node, at, &PUBLISHERS, "publisher", false) else {
            return SpecConfig::default();
        };
        let here = at.key("Params");
        let params = if spec_type == "s3" {
            self.s3_publisher(params, &here)
        } else {
            self.free_object(params, &here)
        };
        SpecConfig { spec_type, params }
    }

    fn s3_publisher(&mut self, params: Option<Node<'_>>, at: &At<'_>) -> Map<String, serde_json::Value> {
        let keys = ["Bucket", "Key", "Endpoint", "Region", "Encoding"];
        let Some(values) = params.and_then(|node| self.object(node, at, &keys)) else { return Map::new() };
        let mut map = Map::new();
        for (key, value) in keys.iter().zip(values) {
            if let Some(value) = value {
                map.insert((*key).to_owned(), self.text(Some(value), &at.key(key)).into());
            }
        }
        map
    }

    pub(super) fn result_of<T>(self, value: T) -> Result<T, SpecError> {
        if self.problems.is_empty() { Ok(value) } else { Err(SpecError { problems: self.problems }) }
    }
}

/// Reads the parameters of an engine that comes outside of a job, with an empty task to hold what legacy forms add.
fn decode<T>(
    spec: &SpecConfig,
    expected: &str,
    read: impl FnOnce(&mut Reader<'_>, Option<Node<'_>>, &At<'_>, &mut Task) -> T,
) -> Result<(T, Vec<InputSource>), SpecError> {
    if !spec.is_type(expected) {
        let message =
            format!("invalid {expected} engine type. expected {expected}, but received: {}", spec.spec_type);
        return Err(Problem::new("Type", message).found(quote(&spec.spec_type)).allowed(expected).into());
    }
    let options = ReadOptions::job_file();
    let params = serde_json::Value::Object(spec.params.clone());
    let node = Node::from_value(&params, &mut Budget::new(options.limits), 0)?;
    let mut reader = Reader::new(&options);
    let mut task = Task::default();
    let value = read(&mut reader, Some(node), &At::root().key("Params"), &mut task);
    let value = reader.result_of(value)?;
    Ok((value, task.input_sources))
}

impl DockerParams {
    /// The parameters in a `docker` spec, checked.
    ///
    /// *Errors*: another type, unknown or wrong parameters, as Bacalhau words them.
    pub fn decode(spec: &SpecConfig) -> Result<Self, SpecError> {
        let (params, _) = decode(spec, ENGINE_DOCKER, |reader, node, at, _| reader.docker(node, at))?;
        let problems = validate::docker_problems(&params, format_args!("Params"));
        if problems.is_empty() { Ok(params) } else { Err(SpecError { problems }) }
    }
}

impl WasmParams {
    /// The parameters in a `wasm` spec, checked, and the inputs that a legacy spec carries in place of module paths.
    ///
    /// *Errors*: another type, unknown or wrong parameters, as Bacalhau words them.
    pub fn decode(spec: &SpecConfig) -> Result<(Self, Vec<InputSource>), SpecError> {
        let (params, inputs) =
            decode(spec, ENGINE_WASM, |reader, node, at, task| reader.wasm(node, at, task))?;
        let problems = validate::wasm_problems(&params, format_args!("Params"));
        if problems.is_empty() { Ok((params, inputs)) } else { Err(SpecError { problems }) }
    }
}
