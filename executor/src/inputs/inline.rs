//! Inputs whose data the job itself carries.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;

use crate::failure::{Failure, ReasonCode};
use crate::limits::Limits;
use crate::spec::{self, InlineSource, SOURCE_INLINE, Source};

use super::archive::{self, ArchiveError};
use super::data_url::DataUrl;
use super::{InputContext, InputPlace, InputSize, InputSource, Prepared, StopOnDrop, open_to_all};

/// The media type of a folder, as a tar.gz.
pub(super) const MEDIA_TYPE_FOLDER: &str = "application/gzip";

/// Source type `inline`: a `data:` URL, a tar.gz folder if its type is `application/gzip`, one file otherwise.
///
/// The one name that a client packs a folder under is no part of what the task sees: a folder is mounted as the
/// folder, a file as the file, and read-only. Every user may read it.
#[derive(Debug, Clone, Copy, Default)]
pub struct InlineInputs;

#[async_trait]
impl InputSource for InlineInputs {
    fn source_type(&self) -> &'static str {
        SOURCE_INLINE
    }

    async fn check(&self, input: &spec::InputSource, context: &InputContext) -> Result<InputSize, Failure> {
        let prepared = unpack(input, context, None).await?;
        Ok(InputSize { bytes: prepared.bytes, is_here: true })
    }

    async fn prepare(
        &self,
        input: &spec::InputSource,
        context: &InputContext,
        place: &InputPlace,
    ) -> Result<Prepared, Failure> {
        unpack(input, context, Some(place.clone())).await
    }
}

async fn unpack(
    input: &spec::InputSource,
    context: &InputContext,
    place: Option<InputPlace>,
) -> Result<Prepared, Failure> {
    let Source::Inline(source) = &input.source else {
        return Err(Failure::new(ReasonCode::InputConfigError, "the source is not inline"));
    };
    let (source, limits) = (source.clone(), context.limits.clone());
    let guard = StopOnDrop::default();
    let stopped = guard.0.clone();
    let work = move || unpack_now(&source, &limits, place.as_ref(), &stopped);
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Failure::new(ReasonCode::Internal, format!("unpacking an inline input: {error}"))),
    }
}

fn unpack_now(
    source: &InlineSource,
    limits: &Limits,
    place: Option<&InputPlace>,
    stopped: &AtomicBool,
) -> Result<Prepared, Failure> {
    let invalid = |error| {
        let message = format!("inline URL {:?} is not a data URL: {error}", beginning(&source.url));
        Failure::new(ReasonCode::InputConfigError, message)
    };
    let url = DataUrl::parse(&source.url).map_err(invalid)?;
    if url.is(MEDIA_TYPE_FOLDER) {
        let gzip = url.decode().map_err(invalid)?;
        if let Some(place) = place {
            place.make_parent().map_err(|error| not_stored(place.path(), &error))?;
        }
        let unpacked = archive::unpack(&gzip, place.map(InputPlace::path), limits, stopped)?;
        let path = place.map(|place| unpacked.base(place.path())).unwrap_or_default();
        return Ok(Prepared { path, read_only: true, bytes: unpacked.bytes, cid: None });
    }
    let max = limits.inline_file_bytes_max;
    // Escapes take three characters for a byte: what is too big even so is refused undecoded.
    if url.bytes_max() / 4 > max {
        return Err(too_big(url.bytes_max(), max));
    }
    let data = url.decode().map_err(invalid)?;
    let bytes = data.len() as u64;
    if bytes > max {
        return Err(too_big(bytes, max));
    }
    let Some(place) = place else {
        return Ok(Prepared { path: Path::new("").into(), read_only: true, bytes, cid: None });
    };
    place
        .make_parent()
        .and_then(|()| std::fs::write(place.path(), &data))
        .and_then(|()| open_to_all(place.path(), false))
        .map_err(|error| not_stored(place.path(), &error))?;
    Ok(Prepared { path: place.path().to_path_buf(), read_only: true, bytes, cid: None })
}

fn beginning(url: &str) -> String {
    url.chars().take(32).collect()
}

fn too_big(bytes: u64, max: u64) -> Failure {
    let message = format!("inline file has {bytes} bytes, inline_file_bytes_max is {max}");
    Failure::new(ReasonCode::InputConfigError, message)
        .with_hint("put the data where the node can fetch it, or allow a local path")
}

fn not_stored(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(ReasonCode::InputFailed, format!("storing an inline input at {}: {error}", path.display()))
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        let code = match &error {
            ArchiveError::Read(_) | ArchiveError::Write { .. } | ArchiveError::Stopped => {
                ReasonCode::InputFailed
            }
            _ => ReasonCode::InputConfigError,
        };
        Self::new(code, format!("inline archive: {error}"))
    }
}
