//! Making an inline source out of a file or folder, as a client does.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::{Failure, ReasonCode};
use crate::limits::Limits;
use crate::spec::InlineSource;

use super::inline::MEDIA_TYPE_FOLDER;

/// The content of a file, or of a folder with all in it, as an inline source.
///
/// A folder is packed in byte order of its names, without times and owners: equal folders give equal sources.
///
/// # Errors
/// A path that cannot be read, something that is neither file nor folder, or more than the inline limits.
pub fn inline_from_path(path: &Path, limits: &Limits) -> Result<InlineSource, Failure> {
    let (media_type, bytes) = if path.is_dir() {
        (MEDIA_TYPE_FOLDER, pack(path, limits)?)
    } else {
        ("application/octet-stream", read(path, limits)?)
    };
    Ok(InlineSource::new(format!("data:{media_type};base64,{}", BASE64_STANDARD.encode(bytes))))
}

fn read(path: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let max = limits.inline_file_bytes_max;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(max.saturating_add(1)).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > max {
        let message = format!("{} has more than {max} bytes (inline_file_bytes_max)", path.display());
        return Err(Failure::new(ReasonCode::InputConfigError, message));
    }
    Ok(bytes)
}

fn pack(folder: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let base = fs::canonicalize(folder).map_err(|error| unreadable(folder, &error))?;
    let base_name = base.file_name().map_or_else(|| Path::new(".").to_path_buf(), Into::into);
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let (mut entries, mut total) = (0_u64, 0_u64);
    let mut waiting = vec![(base, base_name)];
    while let Some((path, name)) = waiting.pop() {
        let meta = fs::symlink_metadata(&path).map_err(|error| unreadable(&path, &error))?;
        entries += 1;
        total = total.saturating_add(if meta.is_file() { meta.len() } else { 0 });
        if entries > limits.inline_entries_max || total > limits.inline_bytes_max {
            let message = format!("{} is more than inline_entries_max or inline_bytes_max", folder.display());
            return Err(Failure::new(ReasonCode::InputConfigError, message));
        }
        let mut header = tar::Header::new_ustar();
        header.set_metadata_in_mode(&meta, tar::HeaderMode::Deterministic);
        let packed = if meta.is_dir() {
            let mut inner = list(&path).map_err(|error| unreadable(&path, &error))?;
            // The last is taken next.
            inner.reverse();
            waiting.extend(inner.into_iter().map(|file| (path.join(&file), name.join(&file))));
            tar.append_data(&mut header, &name, io::empty())
        } else if meta.is_file() {
            let bytes = read(&path, limits)?;
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, &name, &bytes[..])
        } else {
            let message = format!("{} is neither a file nor a folder", path.display());
            return Err(Failure::new(ReasonCode::InputConfigError, message));
        };
        packed.map_err(|error| unreadable(&path, &error))?;
    }
    tar.into_inner().and_then(GzEncoder::finish).map_err(|error| unreadable(folder, &error))
}

fn list(folder: &Path) -> io::Result<Vec<std::ffi::OsString>> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let code = match error.kind() {
        io::ErrorKind::NotFound => ReasonCode::InputNotFound,
        _ => ReasonCode::InputFailed,
    };
    Failure::new(code, format!("packing {}: {error}", path.display()))
}
