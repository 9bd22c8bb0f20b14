//! Finding, compiling and linking the modules of one execution.
//!
//! What a module imports from is, in this order: a module that is there already, WASI, the file of
//! that name. A module that was found through a folder goes by both names.

use std::sync::Arc;

use wasmtime::{ExternType, Instance, Linker, Store};

use crate::engine::CodeDigest;
use crate::failure::{Failure, ReasonCode};
use crate::limits::Limits;
use crate::spec::WasmParams;
use crate::wasm::cache::{Compiled, Compiler, ModuleCache};
use crate::wasm::guest::{Guest, Halt};
use crate::wasm::preview1;
use crate::wasm::source::{Source, find};

/// The entry point of a command.
const START: &str = "_start";
/// What a module that is no command wants called first.
const INITIALIZE: &str = "_initialize";

/// Why there is nothing to call.
#[derive(Debug)]
pub(crate) enum LoadError {
    /// A module could not be found, compiled or linked.
    Failed(Failure),
    /// Code that runs while modules are loaded came to an end: a trap, an exit, a stop.
    Ended(wasmtime::Error),
}

impl From<Failure> for LoadError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl LoadError {
    fn within(self, what: &str) -> Self {
        match self {
            Self::Failed(failure) => {
                Self::Failed(Failure { message: format!("{what}: {}", failure.message), ..failure })
            }
            Self::Ended(error) => Self::Ended(error),
        }
    }
}

/// Loads the modules of one execution into its store.
pub(crate) struct Loader<'a> {
    pub(crate) cache: &'a ModuleCache,
    pub(crate) compiler: &'a Compiler,
    pub(crate) limits: &'a Limits,
    pub(crate) store: &'a mut Store<Guest>,
    /// The modules that were loaded, the entry first.
    pub(crate) code: &'a mut Vec<CodeDigest>,
    linker: Option<Linker<Guest>>,
    loaded: Vec<(String, Instance)>,
    loading: Vec<String>,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(
        cache: &'a ModuleCache,
        compiler: &'a Compiler,
        limits: &'a Limits,
        store: &'a mut Store<Guest>,
        code: &'a mut Vec<CodeDigest>,
    ) -> Self {
        Self { cache, compiler, limits, store, code, linker: None, loaded: Vec::new(), loading: Vec::new() }
    }

    /// Loads import modules and entry module, and calls the entry point.
    pub(crate) fn run(mut self, params: &WasmParams) -> Result<(), LoadError> {
        for path in &params.import_modules {
            self.load(path).map_err(|error| error.within(&format!("failed to load import module {path}")))?;
        }
        let imported = self.code.len();
        let wrap =
            |error: LoadError| error.within(&format!("failed to load entry module {}", params.entry_module));
        let source = self.find(&params.entry_module).map_err(|failure| wrap(failure.into()))?;
        let compiled = self.compile(&source).map_err(|failure| wrap(failure.into()))?;
        // The entry is named first, whatever was loaded before it.
        self.code[..=imported].rotate_right(1);
        let entry = entrypoint(&compiled, &params.entrypoint)?;
        let instance = self.link(&source.path, &compiled).map_err(wrap)?;
        // Nothing to call, or called already: a module that is no command is initialized when linked.
        let Some(name) = entry.filter(|name| *name != INITIALIZE || is_command(&compiled)) else {
            return Ok(());
        };
        let function = instance.get_typed_func::<(), ()>(&mut *self.store, name).map_err(|error| {
            Failure::new(ReasonCode::EntrypointError, format!("entrypoint '{name}': {error}"))
        })?;
        function.call(&mut *self.store, ()).map_err(LoadError::Ended)
    }

    fn find(&self, path: &str) -> Result<Source, Failure> {
        find(&self.store.data().fs, path)
    }

    fn compile(&mut self, source: &Source) -> Result<Arc<Compiled>, Failure> {
        let compiled = source.compile(&self.store.data().fs, self.cache, self.compiler, self.limits)?;
        self.code.push(CodeDigest { name: source.path.clone(), digest: compiled.digest });
        Ok(compiled)
    }

    /// Loads the module at `path`, unless it is there already, under that name.
    fn load(&mut self, path: &str) -> Result<(), LoadError> {
        if self.is_loaded(path) {
            return Ok(());
        }
        let source = self.find(path)?;
        if let Some((_, instance)) = self.loaded.iter().find(|(name, _)| *name == source.path) {
            let instance = *instance;
            return self.register(path, instance);
        }
        if self.loading.contains(&source.path) {
            let cycle = self.loading.iter().skip_while(|path| **path != source.path).map(String::as_str);
            let cycle = cycle.chain([source.path.as_str()]).collect::<Vec<_>>().join(" -> ");
            return Err(Failure::new(ReasonCode::ModuleLoadError, format!("import cycle: {cycle}")).into());
        }
        if self.code.len() >= self.limits.modules_max {
            let message = format!("more than {} modules are linked", self.limits.modules_max);
            return Err(Failure::new(ReasonCode::ModuleLoadError, message).into());
        }
        let compiled = self.compile(&source)?;
        let instance = self.link(&source.path, &compiled)?;
        self.register(&source.path, instance)?;
        if source.path == path { Ok(()) } else { self.register(path, instance) }
    }

    fn is_loaded(&self, name: &str) -> bool {
        self.loaded.iter().any(|(loaded, _)| loaded == name)
    }

    fn register(&mut self, name: &str, instance: Instance) -> Result<(), LoadError> {
        let linker = self.linker.get_or_insert_with(|| self.compiler.linker.clone());
        linker.instance(&mut *self.store, name, instance).map_err(|error| load_failure(name, &error))?;
        self.loaded.push((name.to_owned(), instance));
        Ok(())
    }

    /// Loads what a module imports, instantiates it, and initializes it if it is no command.
    fn link(&mut self, path: &str, compiled: &Compiled) -> Result<Instance, LoadError> {
        self.loading.push(path.to_owned());
        if compiled.linked.is_none() {
            for import in compiled.module.imports() {
                self.import(import.module())?;
            }
        }
        let instance = self.instantiate(path, compiled)?;
        self.loading.pop();
        if compiled.module.get_export(INITIALIZE).is_some() && !is_command(compiled) {
            let initialize = instance
                .get_typed_func::<(), ()>(&mut *self.store, INITIALIZE)
                .map_err(|error| load_failure(path, &error))?;
            initialize.call(&mut *self.store, ()).map_err(LoadError::Ended)?;
        }
        Ok(instance)
    }

    fn import(&mut self, name: &str) -> Result<(), LoadError> {
        if self.is_loaded(name) || name == preview1::MODULE {
            return Ok(());
        }
        match self.load(name) {
            Err(LoadError::Failed(failure))
                if failure.code == ReasonCode::ModuleNotFound && failure.message == not_found_text(name) =>
            {
                let message = format!("unknown module \"{name}\"");
                Err(Failure::new(ReasonCode::UnknownModuleError, message)
                    .with_hint("mount the module as an input with this name as its target")
                    .into())
            }
            other => other,
        }
    }

    fn instantiate(&mut self, path: &str, compiled: &Compiled) -> Result<Instance, LoadError> {
        let linker = self.linker.as_ref().unwrap_or(&self.compiler.linker);
        let made = match &compiled.linked {
            Some(linked) => linked.instantiate(&mut *self.store),
            None => linker.instantiate(&mut *self.store, &compiled.module),
        };
        made.map_err(|error| {
            if error.is::<Halt>() || error.is::<wasmtime::Trap>() {
                return LoadError::Ended(error);
            }
            let memory = &self.store.data().memory;
            match memory.refused_bytes() {
                Some(bytes) => too_much_memory(path, bytes, memory.bytes_max()).into(),
                None => load_failure(path, &error).into(),
            }
        })
    }
}

fn is_command(compiled: &Compiled) -> bool {
    compiled.module.get_export(START).is_some()
}

/// What a missing module is reported as.
pub(crate) fn not_found_text(path: &str) -> String {
    format!("module not found: \"{path}\"")
}

fn load_failure(path: &str, error: &wasmtime::Error) -> Failure {
    Failure::new(ReasonCode::ModuleLoadError, format!("failed to load module at \"{path}\": {error:#}"))
}

fn too_much_memory(path: &str, bytes: u64, bytes_max: u64) -> Failure {
    let message = format!(
        "failed to load module at \"{path}\": it needs {bytes} bytes of memory from the start, the limit is {bytes_max}"
    );
    Failure::new(ReasonCode::MemoryLimitError, message)
        .with_hint("ask for more memory in the task's Resources")
}

/// The function to call; none if loading the module is all that there is to run.
fn entrypoint<'a>(compiled: &Compiled, asked: &'a str) -> Result<Option<&'a str>, Failure> {
    let name = if asked.is_empty() { START } else { asked };
    match compiled.module.get_export(name) {
        Some(ExternType::Func(ty)) if ty.params().len() == 0 && ty.results().len() == 0 => Ok(Some(name)),
        Some(ExternType::Func(ty)) => {
            let list = |types: Vec<wasmtime::ValType>| {
                types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            let (params, results) = (list(ty.params().collect()), list(ty.results().collect()));
            let message = format!(
                "entrypoint '{name}' must take and return nothing, but it is ({params}) -> ({results})"
            );
            Err(Failure::new(ReasonCode::EntrypointError, message))
        }
        None if name == START && (compiled.has_start || compiled.module.get_export(INITIALIZE).is_some()) => {
            Ok(None)
        }
        _ => {
            let mut callable: Vec<_> = compiled
                .module
                .exports()
                .filter(|export| {
                    export.ty().func().is_some_and(|ty| ty.params().len() + ty.results().len() == 0)
                })
                .map(|export| export.name().to_owned())
                .take(16)
                .collect();
            callable.sort();
            let message = format!("unable to find the entrypoint '{name}' in the WASM module");
            let failure = Failure::new(ReasonCode::EntrypointError, message);
            Err(if callable.is_empty() {
                failure
            } else {
                failure.with_hint(format!("the module has {}", callable.join(", ")))
            })
        }
    }
}
