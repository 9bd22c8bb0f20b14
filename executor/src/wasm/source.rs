//! Where a module's bytes are.

use std::sync::Arc;

use crate::failure::{Failure, ReasonCode};
use crate::limits::Limits;
use crate::wasm::cache::{Compiled, Compiler, ModuleCache};
use crate::wasm::link::not_found_text;
use crate::wasm::vfs::{Entry, File, FileKind, MountId, OpenHow, Opened, Target, Vfs};

/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;

/// A module's file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path in the guest's file system, without a leading slash.
    pub(crate) path: String,
    at: At,
}

#[derive(Debug)]
enum At {
    /// A mounted file, not opened yet: it may be known already.
    Mount(MountId),
    Open(File),
}

const READ: OpenHow = OpenHow {
    read: true,
    write: false,
    append: false,
    synchronous: false,
    create: false,
    exclusive: false,
    truncate: false,
    directory: false,
    follow: true,
};

/// The path as the tree has it: leading slashes and `.` mean nothing.
fn normal(path: &str) -> String {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}

fn not_found(path: &str) -> Failure {
    Failure::new(ReasonCode::ModuleNotFound, not_found_text(path))
        .with_hint("the path must be an input's target, or below one")
}

/// The module at `path`: a file, or a folder with exactly one `*.wasm` in it.
pub(crate) fn find(fs: &Vfs, path: &str) -> Result<Source, Failure> {
    let missing = |_| not_found(path);
    let (root, name) = (fs.root().map_err(missing)?, normal(path));
    if let Target::File(mount) = fs.lookup(&root, name.as_bytes()).map_err(missing)? {
        return Ok(Source { path: name, at: At::Mount(mount) });
    }
    let dir = match fs.open(&root, name.as_bytes(), READ).map_err(missing)? {
        Opened::File(file) => return Ok(Source { path: name, at: At::Open(file) }),
        Opened::Dir(dir) => dir,
    };
    let entries = fs.list(&dir).map_err(missing)?;
    let is_module = |entry: &&Entry| entry.kind != FileKind::Dir && entry.name.ends_with(b".wasm");
    let modules: Vec<_> = entries.iter().filter(is_module).collect();
    let [module] = modules[..] else {
        let hint =
            format!("the folder has {} modules; it must have one, or the path must name one", modules.len());
        let failure =
            Failure::new(ReasonCode::ModuleNotFound, format!("{}: it is a folder", not_found_text(path)));
        return Err(failure.with_hint(hint));
    };
    let inside = format!("{name}/{}", String::from_utf8_lossy(&module.name));
    match fs.open(&dir, &module.name, READ).map_err(missing)? {
        Opened::File(file) => Ok(Source { path: inside, at: At::Open(file) }),
        Opened::Dir(_) => Err(not_found(&inside)),
    }
}

impl Source {
    /// The compiled module, from the cache if it is known.
    pub(crate) fn compile(
        &self,
        fs: &Vfs,
        cache: &ModuleCache,
        compiler: &Compiler,
        limits: &Limits,
    ) -> Result<Arc<Compiled>, Failure> {
        let unreadable = |errno: rustix::io::Errno| {
            Failure::new(
                ReasonCode::ModuleLoadError,
                format!("failed to load module at \"{}\": {errno}", self.path),
            )
        };
        let opened;
        let file = match &self.at {
            At::Mount(mount) => {
                if let Some(known) =
                    fs.tree().identity(*mount).and_then(|identity| cache.known(compiler, &identity))
                {
                    return Ok(known);
                }
                opened = fs.open_mount(*mount).map_err(unreadable)?;
                &opened
            }
            At::Open(file) => file,
        };
        let before = file.identity().map_err(unreadable)?;
        if let Some(known) = cache.known(compiler, &before) {
            return Ok(known);
        }
        let bytes_max = limits.module_bytes_max;
        let wasm = read_to_end(file, before.size, bytes_max).map_err(unreadable)?;
        if wasm.len() as u64 > bytes_max {
            let message = format!(
                "failed to load module at \"{}\": it has more than {bytes_max} bytes, which is the limit",
                self.path
            );
            return Err(Failure::new(ReasonCode::ModuleLoadError, message));
        }
        // Only a file that was not changed while it was read is the one that was looked at.
        let after = file.identity().map_err(unreadable)?;
        let identity = (before == after).then_some(&before);
        cache.compiled(compiler, &wasm, identity).map_err(|error| self.not_compiled(&wasm, &error))
    }

    fn not_compiled(&self, wasm: &[u8], error: &wasmtime::Error) -> Failure {
        let at = format!("failed to compile module at \"{}\"", self.path);
        // A component has the layer 1 in the upper half of the version field.
        if wasm.starts_with(b"\0asm") && wasm.get(6..8) == Some(&[1, 0]) {
            let message = format!("{at}: it is a preview-2 component, which this engine does not run");
            return Failure::new(ReasonCode::ModuleCompileError, message)
                .with_hint("build it for preview 1, for example with Rust's target wasm32-wasip1");
        }
        Failure::new(ReasonCode::ModuleCompileError, format!("{at}: {error:#}"))
    }
}

/// The file's bytes, and at most one more than `bytes_max`.
fn read_to_end(file: &File, size: u64, bytes_max: u64) -> Result<Vec<u8>, rustix::io::Errno> {
    let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX).saturating_add(1);
    let expected = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1).min(limit);
    let mut bytes = Vec::new();
    loop {
        let at = bytes.len();
        let room = if at < expected { expected - at } else { READ_BYTES.min(limit - at) };
        if room == 0 {
            return Ok(bytes);
        }
        bytes.resize(at + room, 0);
        let read = file.read(&mut bytes[at..], Some(at as u64))?;
        bytes.truncate(at + read);
        // As long as it was when looked at: the caller looks again whether it still is.
        if read == 0 || (at == 0 && bytes.len() as u64 == size) {
            return Ok(bytes);
        }
    }
}
