//! Where a task's inputs come from and where its outputs lie.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::engine::{SpecConfig, typed};

/// Data that is placed in a task's file system before it runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct InputSource {
    /// Where the data comes from.
    pub source: Source,
    /// A name for the input; empty for none.
    #[schemars(default)]
    pub alias: String,
    /// The path in the task's file system.
    pub target: String,
}

/// Where an input comes from.
///
/// *Layout*: `{"Type": "inline", "Params": {"URL": "data:…"}}`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// The job itself carries the data.
    Inline(InlineSource),
    /// A path of the host that runs the job.
    Local(LocalSource),
    /// A file fetched over HTTP.
    Url(UrlSource),
    /// Objects of an S3 bucket.
    S3(S3Source),
    /// Content of the IPFS network.
    Ipfs(IpfsSource),
    /// A source that this crate does not know.
    Other(SpecConfig),
}

/// The type name of [`Source::Inline`].
pub const SOURCE_INLINE: &str = "inline";
/// The type name of [`Source::Local`].
pub const SOURCE_LOCAL: &str = "local";
/// The name of [`Source::Local`] before Bacalhau 1.6; read, never written.
pub const SOURCE_LOCAL_DIRECTORY: &str = "localDirectory";
/// The type name of [`Source::Url`].
pub const SOURCE_URL: &str = "urlDownload";
/// The type name of [`Source::S3`].
pub const SOURCE_S3: &str = "s3";
/// The type name of [`Source::Ipfs`].
pub const SOURCE_IPFS: &str = "ipfs";

impl Source {
    /// The type name as it is written in a job.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Inline(_) => SOURCE_INLINE,
            Self::Local(_) => SOURCE_LOCAL,
            Self::Url(_) => SOURCE_URL,
            Self::S3(_) => SOURCE_S3,
            Self::Ipfs(_) => SOURCE_IPFS,
            Self::Other(spec) => &spec.spec_type,
        }
    }

    /// The same source as a type name with parameters.
    pub fn to_spec_config(&self) -> SpecConfig {
        let params = match self {
            Self::Inline(source) => object(source),
            Self::Local(source) => object(source),
            Self::Url(source) => object(source),
            Self::S3(source) => object(source),
            Self::Ipfs(source) => object(source),
            Self::Other(spec) => return spec.clone(),
        };
        SpecConfig { spec_type: self.type_name().to_owned(), params }
    }
}

fn object(params: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(params) {
        Ok(Value::Object(map)) => map,
        // Structs of strings, numbers and flags always serialise to an object.
        _ => Map::new(),
    }
}

impl Default for Source {
    fn default() -> Self {
        Self::Other(SpecConfig::default())
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = self.type_name();
        match self {
            Self::Inline(source) => typed(serializer, name, source),
            Self::Local(source) => typed(serializer, name, source),
            Self::Url(source) => typed(serializer, name, source),
            Self::S3(source) => typed(serializer, name, source),
            Self::Ipfs(source) => typed(serializer, name, source),
            Self::Other(spec) => spec.serialize(serializer),
        }
    }
}

/// Data that the job itself carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct InlineSource {
    /// An RFC 2397 `data:` URL; `application/gzip` is a tar.gz folder, anything else one file.
    #[serde(rename = "URL", serialize_with = "shared_text")]
    #[schemars(with = "String")]
    pub url: Arc<str>,
}

impl Default for InlineSource {
    fn default() -> Self {
        Self { url: Arc::from("") }
    }
}

impl InlineSource {
    /// The source whose data is this `data:` URL.
    pub fn new(url: impl Into<Arc<str>>) -> Self {
        Self { url: url.into() }
    }
}

#[allow(clippy::ref_option_ref, clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn shared_text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// A path of the host that runs the job; the host decides which are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct LocalSource {
    /// The path on the host.
    pub source_path: String,
    /// Whether the task may write to it.
    #[schemars(default)]
    pub read_write: bool,
    /// What to create when nothing is there.
    #[schemars(default)]
    pub create_as: CreateAs,
}

/// What to create at a local path where nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CreateAs {
    /// Nothing: the path must exist.
    #[default]
    NoCreate,
    /// A folder.
    Dir,
    /// An empty file.
    File,
}

/// A file fetched over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct UrlSource {
    /// An `http` or `https` URL.
    #[serde(rename = "URL")]
    pub url: String,
}

/// Content of the IPFS network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct IpfsSource {
    /// The CID of a file or folder.
    #[serde(rename = "CID")]
    pub cid: String,
}

/// Objects of an S3 bucket.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct S3Source {
    /// The bucket.
    pub bucket: String,
    /// One object's key, or a prefix ending in `/` or `*`.
    #[schemars(default)]
    pub key: String,
    /// A regular expression searched in each listed key after the prefix.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub filter: String,
    /// The region; empty for the provider's default.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub region: String,
    /// The service's URL; empty for AWS.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub endpoint: String,
    /// The version of a single object.
    #[serde(rename = "VersionID", skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub version_id: String,
    /// The stored SHA-256 attribute that a single object must have, in base64.
    #[serde(rename = "ChecksumSHA256", skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub checksum_sha256: String,
    /// Which objects each partition sees.
    #[serde(skip_serializing_if = "S3Partition::is_default")]
    #[schemars(default)]
    pub partition: S3Partition,
}

/// Which objects of an S3 input each partition sees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
#[non_exhaustive]
pub struct S3Partition {
    /// How the part of a key that decides is found.
    #[serde(rename = "Type")]
    #[schemars(default)]
    pub partition_type: S3PartitionType,
    /// The regular expression of [`S3PartitionType::Regex`].
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub pattern: String,
    /// The first character of [`S3PartitionType::Substring`].
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub start_index: u32,
    /// The character after the last of [`S3PartitionType::Substring`].
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub end_index: u32,
    /// The Go layout of [`S3PartitionType::Date`].
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schemars(default)]
    pub date_format: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl S3Partition {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How an object's key decides which partition sees the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum S3PartitionType {
    /// Every partition sees everything.
    #[default]
    None,
    /// The whole key.
    Object,
    /// The groups that a regular expression captures.
    Regex,
    /// Some characters of the key.
    Substring,
    /// The date at the beginning of the key.
    Date,
}

/// A folder of a task whose content is part of the result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(deny_unknown_fields)]
pub struct ResultPath {
    /// The name of the folder in the result.
    pub name: String,
    /// The absolute path in the task's file system.
    pub path: String,
}
