//! Input sources and result paths.

use std::borrow::Cow;
use std::sync::Arc;

use super::ReadOptions;
use super::fields::{At, Reader};
use crate::spec::engine::SpecConfig;
use crate::spec::error::{Problem, SpecError};
use crate::spec::input::{
    CreateAs, InlineSource, InputSource, IpfsSource, LocalSource, ResultPath, S3Partition, S3PartitionType,
    S3Source, SOURCE_INLINE, SOURCE_IPFS, SOURCE_LOCAL, SOURCE_LOCAL_DIRECTORY, SOURCE_S3, SOURCE_URL,
    Source, UrlSource,
};
use crate::spec::tree::{Budget, Node, NodeValue};
use crate::spec::validate;

const SOURCES: [&str; 8] = [
    SOURCE_INLINE,
    SOURCE_LOCAL,
    SOURCE_LOCAL_DIRECTORY,
    SOURCE_URL,
    SOURCE_S3,
    SOURCE_IPFS,
    "s3PreSigned",
    "s3managed",
];

const CREATE_AS: [(CreateAs, &str); 3] =
    [(CreateAs::Dir, "dir"), (CreateAs::File, "file"), (CreateAs::NoCreate, "noCreate")];

const PARTITION_TYPES: [(S3PartitionType, &str); 5] = [
    (S3PartitionType::None, "none"),
    (S3PartitionType::Object, "object"),
    (S3PartitionType::Regex, "regex"),
    (S3PartitionType::Substring, "substring"),
    (S3PartitionType::Date, "date"),
];

impl Reader<'_> {
    pub(super) fn input_sources(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> Vec<InputSource> {
        let items = self.list(node, at, "input sources").into_iter().enumerate();
        // An input that cannot be read keeps its place, so that the indices in later problems are the file's.
        items.map(|(index, item)| self.input_source(item, &at.index(index)).unwrap_or_default()).collect()
    }

    pub(super) fn input_source(&mut self, node: Node<'_>, at: &At<'_>) -> Option<InputSource> {
        let line = node.line;
        let [source, alias, target] = self.object(node, at, &["Source", "Alias", "Target"])?;
        let here = at.key("Source");
        let source = match source {
            Some(source) => self.source(source, &here),
            None => {
                let problem = Problem::new(here.path(), "invalid input source: nil spec config");
                self.refuse(problem.allowed("an object with Type and Params").line(line));
                Source::default()
            }
        };
        Some(InputSource {
            source,
            alias: self.text(alias, &at.key("Alias")).trim().to_owned(),
            target: self.text(target, &at.key("Target")).trim().to_owned(),
        })
    }

    fn source(&mut self, node: Node<'_>, at: &At<'_>) -> Source {
        let Some((spec_type, params)) = self.typed(node, at, &SOURCES, "input source", true) else {
            return Source::default();
        };
        let here = at.key("Params");
        match spec_type.as_str() {
            SOURCE_INLINE => {
                let [url] = self.params(params, &here, &["URL"]);
                Source::Inline(InlineSource { url: self.shared_text(url, &here.key("URL")) })
            }
            SOURCE_LOCAL | SOURCE_LOCAL_DIRECTORY => self.local(params, &here),
            SOURCE_URL => {
                let [url] = self.params(params, &here, &["URL"]);
                Source::Url(UrlSource { url: self.text(url, &here.key("URL")) })
            }
            SOURCE_S3 => self.s3(params, &here),
            SOURCE_IPFS => {
                let [cid] = self.params(params, &here, &["CID"]);
                Source::Ipfs(IpfsSource { cid: self.text(cid, &here.key("CID")) })
            }
            _ => Source::Other(SpecConfig { spec_type, params: self.free_object(params, &here) }),
        }
    }

    fn params<'t, const N: usize>(
        &mut self,
        node: Option<Node<'t>>,
        at: &At<'_>,
        keys: &[&'static str; N],
    ) -> [Option<Node<'t>>; N] {
        node.and_then(|node| self.object(node, at, keys)).unwrap_or([const { None }; N])
    }

    /// A text that clones without copying: inline data may be many megabytes.
    fn shared_text(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> Arc<str> {
        match node {
            Some(Node { value: NodeValue::String(Cow::Borrowed(text)), .. }) => Arc::from(text),
            node => Arc::from(self.text(node, at)),
        }
    }

    fn local(&mut self, params: Option<Node<'_>>, at: &At<'_>) -> Source {
        let [path, read_write, create_as] = self.params(params, at, &["SourcePath", "ReadWrite", "CreateAs"]);
        Source::Local(LocalSource {
            source_path: self.text(path, &at.key("SourcePath")),
            read_write: self.flag(read_write, &at.key("ReadWrite")),
            create_as: self.name(create_as, &at.key("CreateAs"), &CREATE_AS, true, "CreateAs value"),
        })
    }

    /// A boolean, or its text: `"true"` is upstream's second spelling, any other text is false there.
    fn flag(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> bool {
        let Some(node) = node else { return false };
        match &node.value {
            NodeValue::Bool(flag) => *flag,
            NodeValue::String(text) if text == "true" => true,
            NodeValue::String(text) if text == "false" || text.is_empty() => false,
            _ => {
                self.wrong_kind(&node, at, "true or false");
                false
            }
        }
    }

    fn s3(&mut self, params: Option<Node<'_>>, at: &At<'_>) -> Source {
        let keys =
            ["Bucket", "Key", "Filter", "Region", "Endpoint", "VersionID", "ChecksumSHA256", "Partition"];
        let [bucket, key, filter, region, endpoint, version_id, checksum, partition] =
            self.params(params, at, &keys);
        Source::S3(S3Source {
            bucket: self.text(bucket, &at.key("Bucket")),
            key: self.text(key, &at.key("Key")),
            filter: self.text(filter, &at.key("Filter")),
            region: self.text(region, &at.key("Region")),
            endpoint: self.text(endpoint, &at.key("Endpoint")),
            version_id: self.text(version_id, &at.key("VersionID")),
            checksum_sha256: self.text(checksum, &at.key("ChecksumSHA256")),
            partition: self.partition(partition, &at.key("Partition")),
        })
    }

    fn partition(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> S3Partition {
        let keys = ["Type", "Pattern", "StartIndex", "EndIndex", "DateFormat"];
        let [partition_type, pattern, start, end, date_format] = self.params(node, at, &keys);
        let range = (0, i64::from(u32::MAX));
        let index =
            |value: Option<i64>| value.and_then(|index| u32::try_from(index).ok()).unwrap_or_default();
        S3Partition {
            partition_type: self.name(
                partition_type,
                &at.key("Type"),
                &PARTITION_TYPES,
                true,
                "partition key type",
            ),
            pattern: self.text(pattern, &at.key("Pattern")),
            start_index: index(self.integer(start, &at.key("StartIndex"), range)),
            end_index: index(self.integer(end, &at.key("EndIndex"), range)),
            date_format: self.text(date_format, &at.key("DateFormat")),
        }
    }

    pub(super) fn result_paths(&mut self, node: Option<Node<'_>>, at: &At<'_>) -> Vec<ResultPath> {
        let items = self.list(node, at, "result paths").into_iter().enumerate();
        items.map(|(index, item)| self.result_path(item, &at.index(index))).collect()
    }

    fn result_path(&mut self, node: Node<'_>, at: &At<'_>) -> ResultPath {
        if node.is_null() {
            self.refuse(
                Problem::new(at.path(), "path is nil")
                    .allowed("an object with Name and Path")
                    .line(node.line),
            );
            return ResultPath::default();
        }
        let Some([name, path]) = self.object(node, at, &["Name", "Path"]) else {
            return ResultPath::default();
        };
        ResultPath {
            name: self.text(name, &at.key("Name")).trim().to_owned(),
            path: self.text(path, &at.key("Path")).trim().to_owned(),
        }
    }
}

impl Source {
    /// The source in a spec, checked as in a job.
    ///
    /// *Errors*: unknown or wrong parameters. A type that this crate does not know is kept as it is.
    pub fn decode(spec: &SpecConfig) -> Result<Self, SpecError> {
        let value = serde_json::json!({ "Type": spec.spec_type, "Params": spec.params });
        let options = ReadOptions { custom_types: true, ..ReadOptions::job_file() };
        let node = Node::from_value(&value, &mut Budget::new(options.limits), 0)?;
        let mut reader = Reader::new(&options);
        let source = reader.source(node, &At::root());
        let source = reader.result_of(source)?;
        let problems = validate::source_problems(&source, format_args!("Params"));
        if problems.is_empty() { Ok(source) } else { Err(SpecError { problems }) }
    }
}
