//! Inputs that are paths of the host that runs the job.

use std::ffi::{CString, OsString};
use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use async_trait::async_trait;
use rustix::fs::{Mode, OFlags};

use crate::failure::{Failure, ReasonCode};
use crate::glob;
use crate::spec::{self, CreateAs, LocalSource, SOURCE_LOCAL, Source};

use super::{InputContext, InputPlace, InputSize, InputSource, Prepared};

/// A pattern for paths that jobs may mount: `/data/**`, `/scratch/*:rw`; read-only unless it says `:rw`.
///
/// `*` and `?` stay within one part of a path, `**` stands for any number of parts, `[…]` is a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedPath {
    pattern: String,
    /// The same with links resolved before the first wildcard, where that differs.
    resolved: Option<String>,
    read_write: bool,
}

/// A text is no pattern for local paths.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("local path pattern {0:?} is not absolute")]
pub struct InvalidPattern(pub String);

impl FromStr for AllowedPath {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let (pattern, read_write) = match text.strip_suffix(":rw") {
            Some(pattern) => (pattern, true),
            None => (text.strip_suffix(":ro").unwrap_or(text), false),
        };
        if !pattern.starts_with(['/', '*', '[', '?', '.']) {
            return Err(InvalidPattern(text.to_owned()));
        }
        let pattern = match pattern.trim_end_matches('/') {
            "" => "/",
            trimmed => trimmed,
        };
        Ok(Self { pattern: pattern.to_owned(), resolved: resolve_pattern(pattern), read_write })
    }
}

impl fmt::Display for AllowedPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.pattern, if self.read_write { "rw" } else { "ro" })
    }
}

impl AllowedPath {
    /// Whether a canonical path matches.
    fn matches(&self, canonical: &str) -> bool {
        glob::matches(&self.pattern, canonical)
            || self.resolved.as_ref().is_some_and(|pattern| glob::matches(pattern, canonical))
    }
}

/// An operator who allows `/data/**`, where `/data` is a link, means what it leads to.
fn resolve_pattern(pattern: &str) -> Option<String> {
    let prefix = glob::literal_prefix(pattern);
    let canonical = fs::canonicalize(Path::new(prefix)).ok()?;
    let canonical = canonical.to_str().filter(|canonical| *canonical != prefix && !prefix.is_empty())?;
    // What a link leads to is a name, not a pattern.
    let escaped: String = canonical
        .chars()
        .flat_map(|c| matches!(c, '*' | '?' | '[' | '\\').then_some('\\').into_iter().chain([c]))
        .collect();
    Some(format!("{}{}", escaped.trim_end_matches('/'), &pattern[prefix.len()..]))
}

/// A path that whoever starts an execution named itself: it and what lies below is allowed by that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedPath {
    /// The path.
    pub path: PathBuf,
    /// Whether writing is allowed too.
    pub read_write: bool,
}

/// Source type `local`: paths of this host that an allow-list or the caller allows, mounted where they are.
///
/// The path is judged after links and `..` are resolved, and mounted as resolved.
#[derive(Debug, Clone, Default)]
pub struct LocalInputs {
    allow: Vec<AllowedPath>,
}

impl LocalInputs {
    /// A source that allows these paths; with none, only what the caller of an execution grants.
    pub fn new(allow: impl IntoIterator<Item = AllowedPath>) -> Self {
        Self { allow: allow.into_iter().collect() }
    }

    fn judge(&self, source: &LocalSource, context: &InputContext) -> Result<Judged, Failure> {
        let named = &source.source_path;
        if named.is_empty() || named.contains('\0') {
            let message = format!("local SourcePath {named:?} is no path");
            return Err(Failure::new(ReasonCode::InputConfigError, message));
        }
        let not_allowed = |what: &str| {
            Failure::new(ReasonCode::InputNotAllowed, format!("volume {named} {what}")).with_hint(
                "add the path to this node's allowed local paths, with :rw if jobs may write to it",
            )
        };
        let resolved = match resolve(Path::new(named)) {
            Ok(Some(resolved)) => resolved,
            Ok(None) => return Err(not_allowed("is not allowlisted")),
            // What the host says about a path is told only to those who may use it.
            Err(_) if self.access(Path::new(named), named, context).is_none() => {
                return Err(not_allowed("is not allowlisted"));
            }
            Err(error) => {
                let message = format!("resolving volume {named}: {error}");
                return Err(Failure::new(ReasonCode::InputFailed, message));
            }
        };
        match self.access(&resolved.path, named, context) {
            None => return Err(not_allowed("is not allowlisted")),
            Some(false) if source.read_write => return Err(not_allowed("is not granted write access")),
            Some(_) => {}
        }
        let may_create = source.read_write && source.create_as != CreateAs::NoCreate;
        if !resolved.exists && !may_create {
            let message = format!("volume {named} does not exist and creation is not allowed");
            return Err(Failure::new(ReasonCode::InputNotFound, message));
        }
        Ok(resolved)
    }

    /// Whether a canonical path may be read (`Some`) and written (`Some(true)`).
    fn access(&self, canonical: &Path, named: &str, context: &InputContext) -> Option<bool> {
        let listed = canonical.to_str().into_iter().flat_map(|path| {
            self.allow.iter().filter(move |allowed| allowed.matches(path)).map(|allowed| allowed.read_write)
        });
        let granted = context.grants.iter().filter_map(|grant| {
            let is_granted = grant.path.as_os_str() == named
                || canonical.starts_with(resolve(&grant.path).ok().flatten()?.path);
            is_granted.then_some(grant.read_write)
        });
        listed.chain(granted).reduce(|one, other| one || other)
    }
}

#[async_trait]
impl InputSource for LocalInputs {
    fn source_type(&self) -> &'static str {
        SOURCE_LOCAL
    }

    async fn is_installed(&self) -> bool {
        !self.allow.is_empty()
    }

    async fn check(&self, input: &spec::InputSource, context: &InputContext) -> Result<InputSize, Failure> {
        self.judge(local(input)?, context)?;
        Ok(InputSize { bytes: 0, is_here: true })
    }

    // A few names are looked up on this thread: handing them to another takes longer.
    async fn prepare(
        &self,
        input: &spec::InputSource,
        context: &InputContext,
        _place: &InputPlace,
    ) -> Result<Prepared, Failure> {
        let source = local(input)?;
        let judged = self.judge(source, context)?;
        if !judged.exists {
            create(source, &judged.path)?;
            // Between judging and creating somebody may have put a link in the way.
            if self.judge(source, context)?.path != judged.path {
                let message = format!("volume {} moved while it was created", source.source_path);
                return Err(Failure::new(ReasonCode::InputNotAllowed, message));
            }
        }
        Ok(Prepared { path: judged.path, read_only: !source.read_write, bytes: 0, cid: None })
    }
}

fn local(input: &spec::InputSource) -> Result<&LocalSource, Failure> {
    match &input.source {
        Source::Local(source) => Ok(source),
        _ => Err(Failure::new(ReasonCode::InputConfigError, "the source is not local")),
    }
}

/// A path without links and `..`.
struct Judged {
    path: PathBuf,
    exists: bool,
}

/// Resolves the longest part of a path that exists; what is missing below it must be plain names.
fn resolve(path: &Path) -> io::Result<Option<Judged>> {
    let mut existing = std::path::absolute(path)?;
    let mut missing: Vec<OsString> = Vec::new();
    loop {
        match canonical(&existing) {
            Ok(mut path) => {
                let exists = missing.is_empty();
                path.extend(missing.into_iter().rev());
                return Ok(Some(Judged { path, exists }));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => {
                // A link that leads nowhere would be resolved by whoever creates what it names.
                if fs::symlink_metadata(&existing).is_ok() {
                    return Ok(None);
                }
                let Some(Component::Normal(name)) = existing.components().next_back() else {
                    return Ok(None);
                };
                missing.push(name.to_owned());
                existing.pop();
            }
            Err(error) => return Err(error),
        }
    }
}

/// A path without links and `..`, as the kernel sees it: one look-up instead of one for each part.
fn canonical(path: &Path) -> io::Result<PathBuf> {
    let found = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let name = rustix::fs::readlink(format!("/proc/self/fd/{}", found.as_raw_fd()), Vec::with_capacity(256));
    match name.map(CString::into_bytes) {
        Ok(name) if name.first() == Some(&b'/') && !name.ends_with(b" (deleted)") => {
            Ok(PathBuf::from(OsString::from_vec(name)))
        }
        // Without /proc, and for what was removed meanwhile, the long way.
        _ => fs::canonicalize(path),
    }
}

fn create(source: &LocalSource, path: &Path) -> Result<(), Failure> {
    let named = &source.source_path;
    let failed =
        |error: io::Error| Failure::new(ReasonCode::InputFailed, format!("creating volume {named}: {error}"));
    // The process's umask says who else may use them: the operator's choice, not the job's.
    let folders = |path: &Path| DirBuilder::new().recursive(true).mode(0o777).create(path).map_err(failed);
    if source.create_as == CreateAs::Dir {
        return folders(path);
    }
    if named.ends_with('/') {
        let message = format!("SourcePath {named} is a directory but CreateAs is set to file");
        return Err(Failure::new(ReasonCode::InputConfigError, message));
    }
    if let Some(parent) = path.parent() {
        folders(parent)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o666).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        opened => opened.map(drop).map_err(failed),
    }
}
