//! Compiled modules, in memory and on disk: each is compiled once, however many runs ask for it.
//!
//! ```text
//! file ─► (device, inode, size, mtime, ctime) ─► SHA-256 of its bytes ─► memory ─► disk ─► compiler
//! ```
#![allow(unsafe_code, reason = "wasmtime loads compiled code through an unsafe function")]

mod disk;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use frogfish_verifier::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::{Engine, InstancePre, Linker, Module};

use crate::wasm::config::{Mode, WasmConfig};
use crate::wasm::guest::Guest;
use crate::wasm::preview1;
use crate::wasm::vfs::FileIdentity;
use disk::DiskCache;

/// Files whose digest is remembered.
const FILES_MAX: usize = 4_096;
/// A file changed more recently than this may change again without its times showing it.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
/// Goes into every key on disk: another number for another layout of entries.
const FORMAT: &[u8] = b"frogfish module 1";

/// A module ready to be instantiated.
pub(crate) struct Compiled {
    pub(crate) module: Module,
    pub(crate) digest: Digest,
    /// Whether the module has a start section, which runs when it is instantiated.
    pub(crate) has_start: bool,
    /// Present if preview 1 gives all that the module imports.
    pub(crate) linked: Option<InstancePre<Guest>>,
    bytes: u64,
}

/// The compiler of one mode, and its calls of preview 1.
pub(crate) struct Compiler {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<Guest>,
    mode: Mode,
    /// The digest of everything about engine and machine that compiled code depends on.
    compatibility: [u8; 32],
}

struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn finish(&self) -> u64 {
        0 // The whole digest is taken instead.
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

impl Compiler {
    pub(crate) fn new(mode: Mode, config: &WasmConfig) -> wasmtime::Result<Self> {
        let engine = super::config::engine(mode, config)?;
        let mut linker = Linker::new(&engine);
        preview1::add_to(&mut linker)?;
        let mut hasher = Sha256Hasher(Sha256::new_with_prefix(FORMAT));
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
        Ok(Self { engine, linker, mode, compatibility: hasher.0.finalize().into() })
    }

    /// The name and check value of this compiler's output for a module.
    fn key(&self, digest: &Digest) -> [u8; 32] {
        Sha256::new().chain_update(self.compatibility).chain_update(digest.as_bytes()).finalize().into()
    }
}

type Slot = Arc<Mutex<Option<Arc<Compiled>>>>;

struct Kept {
    slot: Slot,
    bytes: u64,
    used: u64,
}

#[derive(Default)]
struct Memory {
    modules: HashMap<(Digest, Mode), Kept>,
    files: HashMap<FileIdentity, Digest>,
    bytes: u64,
    uses: u64,
}

/// Compiled modules of this process and, if it has a folder, of this user.
pub(crate) struct ModuleCache {
    memory: Mutex<Memory>,
    memory_bytes_max: u64,
    disk: Option<DiskCache>,
    compilations: AtomicU64,
}

/// Whether a file's times tell all its later changes: they do once its last change is old enough
/// for the clock that stamps them to have moved.
fn is_settled(identity: &FileIdentity) -> bool {
    #[allow(
        clippy::disallowed_methods,
        reason = "compared with the file system's stamps, which come from this clock"
    )]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let changed = identity.ctime_ns.max(identity.mtime_ns);
    i128::try_from(now).is_ok_and(|now| changed + i128::try_from(SETTLED_AFTER.as_nanos()).unwrap_or(0) < now)
}

impl ModuleCache {
    pub(crate) fn new(config: &WasmConfig) -> Self {
        Self {
            memory: Mutex::default(),
            memory_bytes_max: config.memory_cache_bytes_max,
            compilations: AtomicU64::new(0),
            disk: config.cache_dir.clone().map(|dir| DiskCache::new(dir, config.disk_cache_bytes_max)),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The module that this version of a file was compiled to, without reading it.
    ///
    /// A program cannot set a file's ctime, so that a change shows, except through a mapping that was
    /// written to before, or on a file system that keeps no ctime. A receipt that others check must not
    /// rest on that: deterministic runs read and hash their modules every time.
    pub(crate) fn known(&self, compiler: &Compiler, identity: &FileIdentity) -> Option<Arc<Compiled>> {
        if compiler.mode == Mode::Deterministic {
            return None;
        }
        let mut memory = self.memory();
        let digest = *memory.files.get(identity)?;
        memory.uses += 1;
        let now = memory.uses;
        let kept = memory.modules.get_mut(&(digest, compiler.mode))?;
        kept.used = now;
        let slot = kept.slot.clone();
        drop(memory);
        slot.try_lock().ok()?.clone()
    }

    /// The compiled form of `wasm`; `identity` is of the file that was read, so that it is known next time.
    ///
    /// # Errors
    /// The bytes are not a module that is supported, as wasmtime says it.
    pub(crate) fn compiled(
        &self,
        compiler: &Compiler,
        wasm: &[u8],
        identity: Option<&FileIdentity>,
    ) -> wasmtime::Result<Arc<Compiled>> {
        let digest = Digest::of(wasm);
        let key = (digest, compiler.mode);
        let slot = {
            let mut memory = self.memory();
            memory.uses += 1;
            let used = memory.uses;
            if let Some(identity) = identity.filter(|identity| is_settled(identity)) {
                if memory.files.len() >= FILES_MAX {
                    memory.files.clear();
                }
                memory.files.insert(*identity, digest);
            }
            let kept =
                memory.modules.entry(key).or_insert_with(|| Kept { slot: Slot::default(), bytes: 0, used });
            kept.used = used;
            kept.slot.clone()
        };
        // One thread compiles a module, the others that want it wait here.
        let mut module = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = &*module {
            return Ok(compiled.clone());
        }
        match self.load_or_compile(compiler, wasm, digest) {
            Ok(compiled) => {
                let compiled = Arc::new(compiled);
                *module = Some(compiled.clone());
                drop(module);
                self.keep(key, compiled.bytes);
                Ok(compiled)
            }
            Err(error) => {
                drop(module);
                self.memory().modules.remove(&key);
                Err(error)
            }
        }
    }

    /// Counts a module that was just compiled, and lets go of those that were used longest ago.
    fn keep(&self, key: (Digest, Mode), bytes: u64) {
        let mut memory = self.memory();
        if let Some(kept) = memory.modules.get_mut(&key) {
            let before = std::mem::replace(&mut kept.bytes, bytes);
            memory.bytes = memory.bytes.saturating_sub(before).saturating_add(bytes);
        }
        while memory.bytes > self.memory_bytes_max {
            let oldest =
                memory.modules.iter().filter(|(_, kept)| kept.bytes > 0).min_by_key(|(_, kept)| kept.used);
            let Some(oldest) = oldest.map(|(key, _)| *key) else { break };
            if let Some(kept) = memory.modules.remove(&oldest) {
                memory.bytes = memory.bytes.saturating_sub(kept.bytes);
            }
        }
    }

    fn load_or_compile(
        &self,
        compiler: &Compiler,
        wasm: &[u8],
        digest: Digest,
    ) -> wasmtime::Result<Compiled> {
        let key = compiler.key(&digest);
        let loaded = self.disk.as_ref().and_then(|disk| disk.load(&key)).and_then(|body| {
            // SAFETY: the bytes came from a regular file of our own user in a folder that only it can
            // change, opened without following a link, and the SHA-256 at their end, over the key and
            // all of them, was right: they are whole and were written by this code for this engine and
            // machine. They are in our memory: nobody changes them now.
            unsafe { Module::deserialize(&compiler.engine, body) }.ok()
        });
        let module = match loaded {
            Some(module) => module,
            None => {
                self.compilations.fetch_add(1, Ordering::Relaxed);
                let module = Module::from_binary(&compiler.engine, wasm)?;
                if let Some(disk) = &self.disk {
                    disk.store(&key, &module.serialize()?);
                }
                module
            }
        };
        let linked = if module.imports().all(|import| import.module() == preview1::MODULE) {
            compiler.linker.instantiate_pre(&module).ok()
        } else {
            None
        };
        let image = module.image_range();
        let bytes = (image.end as usize).saturating_sub(image.start as usize) as u64;
        Ok(Compiled { digest, has_start: has_start_section(wasm), linked, bytes, module })
    }

    /// How often the compiler was asked.
    #[cfg(test)]
    pub(crate) fn compilations(&self) -> u64 {
        self.compilations.load(Ordering::Relaxed)
    }
}

/// Whether a valid module has a start section.
fn has_start_section(wasm: &[u8]) -> bool {
    const START: u8 = 8;
    let mut rest = wasm.get(8..).unwrap_or_default();
    while let Some((id, after)) = rest.split_first() {
        if *id == START {
            return true;
        }
        // The section's length, in LEB128.
        let (mut len, mut shift, mut at) = (0usize, 0, 0);
        loop {
            let Some(byte) = after.get(at) else { return false };
            len |= usize::from(byte & 0x7f) << shift;
            (at, shift) = (at + 1, shift + 7);
            if byte & 0x80 == 0 {
                break;
            }
            if shift > 28 {
                return false;
            }
        }
        rest = after.get(at.saturating_add(len)..).unwrap_or_default();
    }
    false
}
