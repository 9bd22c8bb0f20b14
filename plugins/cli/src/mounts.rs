//! What `-i`, `-o` and `-e` say, in every spelling of Bacalhau's command line.
//!
//! ```text
//! -i SOURCE[:TARGET[:rw]]          -i src=SOURCE[,dst=TARGET][,opt=rw]
//! -o NAME:PATH                     -e NAME=VALUE | NAME
//! ```
//! A SOURCE is a path, `file://PATH`, or a URL of another kind of input.

use std::path::{Path, PathBuf};

use frogfish::spec::{InputSource, IpfsSource, LocalSource, ResultPath, S3Source, Source, UrlSource};

use crate::problem::Problem;

/// Where an input goes that names no target, as Bacalhau's command line has it.
const DEFAULT_TARGET: &str = "/inputs";

/// A path of this host that the caller named, and thereby allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) path: PathBuf,
    pub(crate) read_write: bool,
}

/// An input of the command line.
#[derive(Debug, PartialEq)]
pub(crate) struct Input {
    pub(crate) source: InputSource,
    pub(crate) granted: Option<Granted>,
}

/// Reads what follows `-i`.
pub(crate) fn input(text: &str) -> Result<Input, Problem> {
    let (source, target, read_write) =
        if text.starts_with("src=") || text.starts_with("source=") { by_keys(text)? } else { by_place(text) };
    let wrong =
        |why: &str| Problem::usage(format!("-i {text}: {why}")).with_hint("write -i SOURCE:TARGET[:rw]");
    if source.is_empty() {
        return Err(wrong("the source is empty"));
    }
    let target = target.unwrap_or_else(|| DEFAULT_TARGET.to_owned());
    if target.is_empty() {
        return Err(wrong("the target is empty"));
    }
    let (source, granted) = self::source(&source, read_write).map_err(|why| wrong(&why))?;
    if read_write && granted.is_none() {
        return Err(wrong("only a file or folder of this host can be written"));
    }
    Ok(Input { source: new_input(source, target), granted })
}

fn new_input(source: Source, target: String) -> InputSource {
    InputSource { source, alias: String::new(), target }
}

/// `src=…,dst=…,opt=…`, in any order.
fn by_keys(text: &str) -> Result<(String, Option<String>, bool), Problem> {
    let (mut source, mut target, mut read_write) = (String::new(), None, false);
    for field in text.split(',') {
        let (key, value) = field.split_once('=').unwrap_or((field, ""));
        match key.trim() {
            "src" | "source" => value.clone_into(&mut source),
            "dst" | "destination" | "target" => target = Some(value.to_owned()),
            "opt" | "option" => read_write = option(text, value)?,
            other => {
                let problem = Problem::usage(format!("-i {text}: there is no {other:?}"));
                return Err(problem.with_hint("allowed are src, dst and opt"));
            }
        }
    }
    Ok((source, target, read_write))
}

fn option(text: &str, option: &str) -> Result<bool, Problem> {
    let (name, value) = option.split_once('=').unwrap_or((option, "true"));
    match (name.to_ascii_lowercase().as_str(), value.to_ascii_lowercase().as_str()) {
        ("rw" | "readwrite", "true" | "1") | ("ro" | "readonly", "false" | "0") => Ok(true),
        ("rw" | "readwrite", "false" | "0") | ("ro" | "readonly", "true" | "1") => Ok(false),
        _ => Err(Problem::usage(format!("-i {text}: there is no option {option:?}"))
            .with_hint("allowed are opt=rw and opt=ro")),
    }
}

/// `SOURCE[:TARGET[:rw]]`: the target is what follows the last colon, unless that belongs to a URL.
fn by_place(text: &str) -> (String, Option<String>, bool) {
    let is_url = text.contains("://");
    let target_at = |text: &str| {
        let at = text.rfind(':')?;
        let target = &text[at + 1..];
        let fits = if is_url { target.starts_with('/') && !target.starts_with("//") } else { true };
        fits.then_some(at)
    };
    let (rest, read_write) = match (text.strip_suffix(":rw"), text.strip_suffix(":ro")) {
        (Some(rest), _) if target_at(rest).is_some() => (rest, true),
        (_, Some(rest)) if target_at(rest).is_some() => (rest, false),
        _ => (text, false),
    };
    match target_at(rest) {
        Some(at) => (rest[..at].to_owned(), Some(rest[at + 1..].to_owned()), read_write),
        None => (rest.to_owned(), None, read_write),
    }
}

/// The source behind a path or URL, and the path of this host that it names.
fn source(text: &str, read_write: bool) -> Result<(Source, Option<Granted>), String> {
    let scheme = text.split_once("://").map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme.as_ref().map(|(scheme, rest)| (scheme.as_str(), *rest)) {
        None => local(Path::new(text), read_write),
        Some(("file", path)) => local(Path::new(&decoded(path)?), read_write),
        Some(("http" | "https", _)) => {
            let mut url = UrlSource::default();
            text.clone_into(&mut url.url);
            Ok((Source::Url(url), None))
        }
        Some(("ipfs", cid)) => {
            let mut ipfs = IpfsSource::default();
            cid.clone_into(&mut ipfs.cid);
            Ok((Source::Ipfs(ipfs), None))
        }
        Some(("s3", place)) => {
            let (bucket, key) = place.split_once('/').unwrap_or((place, ""));
            let mut s3 = S3Source::default();
            bucket.clone_into(&mut s3.bucket);
            key.clone_into(&mut s3.key);
            Ok((Source::S3(s3), None))
        }
        Some((other, _)) => Err(format!("there is no input source for {other}://")),
    }
}

/// A path of this host, absolute, so that the record of the job means the same everywhere on it.
fn local(path: &Path, read_write: bool) -> Result<(Source, Option<Granted>), String> {
    let absolute = std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = absolute.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))?;
    let mut local = LocalSource::default();
    text.clone_into(&mut local.source_path);
    local.read_write = read_write;
    Ok((Source::Local(local), Some(Granted { path: absolute, read_write })))
}

/// The path of a `file:` URL, `%20` and the like decoded.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                rest = &after[2..];
            }
            (b'%', ..) => return Err("a % in a URL is followed by two hexadecimal digits".to_owned()),
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| "the path is not UTF-8".to_owned())
}

/// Reads what follows `-o`.
pub(crate) fn output(text: &str) -> Result<ResultPath, Problem> {
    match text.split_once(':') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok(ResultPath { name: name.to_owned(), path: path.to_owned() })
        }
        _ => Err(Problem::usage(format!("-o {text}: a name and a path are needed"))
            .with_hint("write -o NAME:PATH")),
    }
}

/// Reads what follows `-e`; a name alone takes the value that `of_this_process` has for it.
pub(crate) fn variable(
    text: &str,
    of_this_process: impl Fn(&str) -> Option<String>,
) -> Result<(String, String), Problem> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, of_this_process(text)),
    };
    let wrong = |why: String| Problem::usage(format!("-e {text}: {why}")).with_hint("write -e NAME=VALUE");
    if name.is_empty() {
        return Err(wrong("the name is empty".to_owned()));
    }
    let value = value.ok_or_else(|| wrong(format!("{name} is not set here, or not in UTF-8")))?;
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String, bool) {
        let Input { source, granted } = input(text).unwrap();
        let (path, read_write) = match source.source {
            Source::Local(local) => (local.source_path, local.read_write),
            Source::Url(url) => (url.url, false),
            Source::Ipfs(ipfs) => (ipfs.cid, false),
            other => panic!("{other:?}"),
        };
        assert_eq!(granted.is_some(), path.starts_with('/'));
        (path, source.target, read_write)
    }

    #[test]
    fn inputs_are_read_in_every_spelling() {
        for (text, path, target, read_write) in [
            ("/data:/in", "/data", "/in", false),
            ("/data:/in:rw", "/data", "/in", true),
            ("/data:/in:ro", "/data", "/in", false),
            ("/data", "/data", "/inputs", false),
            ("/data:in", "/data", "in", false),
            ("/a:b/c:/in", "/a:b/c", "/in", false),
            ("file:///data:/in", "/data", "/in", false),
            ("file:///a%20b:/in:rw", "/a b", "/in", true),
            ("file:///data", "/data", "/inputs", false),
            ("src=/data,dst=/in", "/data", "/in", false),
            ("src=/data", "/data", "/inputs", false),
            ("src=file:///data,dst=/in,opt=rw", "/data", "/in", true),
            ("source=/data,target=/in,opt=rw=true", "/data", "/in", true),
            ("src=/data,opt=ReadWrite=false,dst=/in", "/data", "/in", false),
            ("https://host:80/f", "https://host:80/f", "/inputs", false),
            ("https://host/f:/in", "https://host/f", "/in", false),
            ("ipfs://QmX:/in", "QmX", "/in", false),
        ] {
            assert_eq!(parts(text), (path.to_owned(), target.to_owned(), read_write), "{text}");
        }
        let here = std::env::current_dir().unwrap();
        assert_eq!(parts("data:/in").0, here.join("data").to_str().unwrap());
    }

    #[test]
    fn what_is_no_input_is_refused_with_what_to_write() {
        for text in [
            "",
            ":/in",
            "/data:",
            "src=,dst=/in",
            "src=/d,dts=/in",
            "src=/d,opt=write",
            "git://h/r",
            "file:///%zz",
        ] {
            let problem = input(text).unwrap_err();
            assert_eq!(problem.status, crate::exit::USAGE, "{text}");
            assert!(problem.hint.is_some(), "{text}");
        }
        assert!(input("https://host/f:/in:rw").is_err());
    }

    #[test]
    fn outputs_and_variables_are_split_once() {
        let out = output("out:/a:b").unwrap();
        assert_eq!((out.name.as_str(), out.path.as_str()), ("out", "/a:b"));
        assert!(output("out").is_err() && output(":/x").is_err() && output("x:").is_err());
        let host = |name: &str| (name == "KNOWN").then(|| "value".to_owned());
        assert_eq!(variable("A=b=c", host).unwrap(), ("A".to_owned(), "b=c".to_owned()));
        assert_eq!(variable("A=", host).unwrap(), ("A".to_owned(), String::new()));
        assert_eq!(variable("KNOWN", host).unwrap(), ("KNOWN".to_owned(), "value".to_owned()));
        assert!(variable("UNKNOWN", host).is_err() && variable("=x", host).is_err());
    }
}
