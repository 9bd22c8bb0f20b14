use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::*;
use crate::capture::{Capture, Stream};
use crate::clock::SystemClock;
use crate::failure::ReasonCode;
use crate::id::JobId;
use crate::instance::{CONTROL_SOCKET, Instance};
use crate::journal::{Edge, Journal, MemoryJournal, Notes, Timestamp};
use crate::limits::Limits;
use crate::results::ResultsFolder;

const PATIENCE: Duration = Duration::from_secs(20);

/// A runner as far as the control socket sees one.
#[derive(Debug, Default)]
struct Fake {
    journal: MemoryJournal,
    captures: Mutex<BTreeMap<ExecutionId, Arc<Capture>>>,
}

fn not_found(execution: &ExecutionId) -> Failure {
    Failure::new(ReasonCode::Internal, format!("execution not found: {execution}"))
}

#[async_trait]
impl ControlHandler for Fake {
    async fn list(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, Failure> {
        Ok(self.journal.list(filter, page).await.unwrap())
    }

    async fn describe(&self, execution: &ExecutionId) -> Result<Option<Arc<Record>>, Failure> {
        Ok(self.journal.get(execution).await.unwrap())
    }

    async fn cancel(&self, execution: &ExecutionId) -> Result<State, Failure> {
        let record = self.describe(execution).await?.ok_or_else(|| not_found(execution))?;
        Ok(record.state)
    }

    async fn logs(&self, execution: &ExecutionId, options: LogOptions) -> Result<Logs, Failure> {
        let captures = self.captures.lock().unwrap();
        Ok(captures.get(execution).ok_or_else(|| not_found(execution))?.logs(options).unwrap())
    }
}

struct Served {
    _root: tempfile::TempDir,
    instance: Instance,
    fake: Arc<Fake>,
    _server: ControlServer,
    client: ControlClient,
}

async fn serve(limits: &Limits, below: &str) -> Served {
    let root = tempfile::tempdir().unwrap();
    let instance = Instance::open(&root.path().join(below)).unwrap();
    let fake = Arc::new(Fake::default());
    for name in ["a", "b"] {
        let job = RawValue::from_string(r#"{"Name": "é\n"}"#.into()).unwrap().into();
        let (execution, job_id) = (ExecutionId::try_new(name).unwrap(), JobId::try_new("j").unwrap());
        let edge = Edge::create(execution, job_id, job, State::Queued, Timestamp::default());
        fake.journal.commit(edge, Notes::none()).await.unwrap();
    }
    let server = ControlServer::start(&instance, Arc::clone(&fake) as _, limits).unwrap();
    let client = ControlClient::new(instance.folder());
    Served { _root: root, instance, fake, _server: server, client }
}

fn id(name: &str) -> ExecutionId {
    ExecutionId::try_new(name).unwrap()
}

/// Sends bytes as they are and returns everything that comes back.
async fn raw(served: &Served, request: &[u8]) -> String {
    let mut stream = UnixStream::connect(served.instance.folder().join(CONTROL_SOCKET)).await.unwrap();
    // A server that has heard enough may close before it has read all.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn records_come_whole_through_the_socket() {
    let served = serve(&Limits::default(), "x").await;
    let here = served.fake.journal.list(&Filter::all(), Page::first(9)).await.unwrap();
    let there = served.client.list(Filter::all(), Page::first(9)).await.unwrap();
    assert_eq!(there.iter().collect::<Vec<_>>(), here.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    assert_eq!(there[0].job.get(), r#"{"Name": "é\n"}"#);
    let one = served.client.describe(&id("b")).await.unwrap().unwrap();
    assert_eq!(one, there[1]);
    assert_eq!(served.client.describe(&id("c")).await.unwrap(), None);
    assert!(served.client.list(Filter::ended(), Page::default()).await.unwrap().is_empty());
    let mode = std::fs::metadata(served.instance.folder().join(CONTROL_SOCKET)).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
}

#[tokio::test]
async fn cancelling_says_where_it_stood_or_why_not() {
    let served = serve(&Limits::default(), "x").await;
    assert_eq!(served.client.cancel(&id("a")).await.unwrap(), State::Queued);
    let error = served.client.cancel(&id("nobody")).await.unwrap_err();
    assert_eq!(error.to_string(), "execution not found: nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_are_followed_while_they_grow_and_end_with_the_execution() {
    let served = serve(&Limits::default(), "x").await;
    let results = ResultsFolder::create(served.instance.folder().join("e"), []).unwrap();
    let (clock, limits) = (Arc::new(SystemClock::new()), Arc::new(Limits::default()));
    let capture = Arc::new(Capture::create(&results, clock, limits).unwrap());
    served.fake.captures.lock().unwrap().insert(id("a"), Arc::clone(&capture));
    capture.write(Stream::Stdout, b"one\n").unwrap();
    let follow = LogOptions { follow: true, ..LogOptions::default() };
    let mut logs = served.client.logs(&id("a"), follow).await.unwrap();
    let first = logs.next().await.unwrap().unwrap();
    assert_eq!((first.stream, &first.bytes[..]), (crate::logs::LogStream::Stdout, &b"one\n"[..]));
    assert!(first.at > Duration::ZERO);
    capture.write(Stream::Stderr, &[0xff, 0, b'\n']).unwrap();
    assert_eq!(logs.next().await.unwrap().unwrap().bytes, [0xff, 0, b'\n']);
    capture.finish();
    assert_eq!(tokio::time::timeout(PATIENCE, logs.next()).await.unwrap().unwrap(), None);
    let error = served.client.logs(&id("b"), LogOptions::default()).await.unwrap().next().await.unwrap_err();
    assert_eq!(error.to_string(), "execution not found: b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_goes_frees_its_place() {
    let limits = Limits { control_clients_max: 1, ..Limits::default() };
    let served = serve(&limits, "x").await;
    let results = ResultsFolder::create(served.instance.folder().join("e"), []).unwrap();
    let capture = Capture::create(&results, Arc::new(SystemClock::new()), Arc::new(limits)).unwrap();
    capture.write(Stream::Stdout, b"one\n").unwrap();
    served.fake.captures.lock().unwrap().insert(id("a"), Arc::new(capture));
    let follow = LogOptions { follow: true, ..LogOptions::default() };
    let mut logs = served.client.logs(&id("a"), follow).await.unwrap();
    logs.next().await.unwrap().unwrap();
    // The log says nothing more, and the only place is taken.
    let waiting = tokio::spawn({
        let client = served.client.clone();
        async move { client.list(Filter::all(), Page::default()).await }
    });
    drop(logs);
    assert_eq!(tokio::time::timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap().len(), 2);
}

#[tokio::test]
async fn bad_requests_are_answered_with_what_is_wrong() {
    let limits = Limits { control_request_bytes_max: 200, ..Limits::default() };
    let served = serve(&limits, "x").await;
    let huge = [b"{\"op\":\"ps\",\"x\":\"".to_vec(), vec![b'x'; 100_000]].concat();
    for (request, wanted) in [
        (&b"nonsense\n"[..], "reading the request"),
        (b"{\"op\":\"rm\"}\n", "unknown variant `rm`"),
        (b"{\"op\":\"describe\",\"execution\":\"../../etc\"}\n", "not usable"),
        (b"{\"op\":\"ps\",\"filter\":{\"colour\":1}}\n", "unknown field `colour`"),
        (b"\xff\xfe\n", "reading the request"),
        (b"\n", "reading the request"),
        (&huge, "at most 200 bytes"),
    ] {
        let answer = raw(&served, request).await;
        assert!(answer.starts_with("{\"error\":") && answer.contains(wanted), "{wanted}: {answer}");
    }
    let deep = [b"{\"op\":".to_vec(), vec![b'['; 190], b"\n".to_vec()].concat();
    assert!(raw(&served, &deep).await.starts_with("{\"error\":"));
    assert_eq!(served.client.list(Filter::all(), Page::default()).await.unwrap().len(), 2, "still there");
}

#[tokio::test]
async fn a_folder_with_a_long_name_has_a_socket_too() {
    let below = format!("{}/{}", "x".repeat(100), "y".repeat(100));
    let served = serve(&Limits::default(), &below).await;
    assert_eq!(served.client.list(Filter::all(), Page::default()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn when_nobody_listens_the_caller_is_told() {
    let served = serve(&Limits::default(), "x").await;
    let Served { _root, instance, _server: server, client, .. } = served;
    let socket = instance.folder().join(CONTROL_SOCKET);
    server.stop().await;
    assert!(!socket.exists());
    let error = client.describe(&id("a")).await.unwrap_err();
    assert!(matches!(error, ControlError::NotRunning { .. }), "{error}");
    // What a killed process leaves is a socket that nobody listens on.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let error = client.describe(&id("a")).await.unwrap_err();
    assert!(matches!(error, ControlError::NotRunning { .. }), "{error}");
    let again = ControlServer::start(&instance, Arc::new(Fake::default()), &Limits::default()).unwrap();
    assert!(client.list(Filter::all(), Page::default()).await.unwrap().is_empty());
    drop(again);
}

#[tokio::test]
async fn an_owner_that_talks_nonsense_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let listener = tokio::net::UnixListener::bind(root.path().join(CONTROL_SOCKET)).unwrap();
    let owner = tokio::spawn(async move {
        for answer in [&b"nonsense\n"[..], b"{\"record\":{}}\n", b"\"do", b"{\"cancelling\":\"Queued\"}\n"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 16];
            stream.read_exact(&mut request).await.unwrap();
            stream.write_all(answer).await.unwrap();
        }
    });
    let client = ControlClient::new(root.path());
    for nonsense in [true, true, false, true] {
        let error = client.list(Filter::all(), Page::default()).await.unwrap_err();
        assert_eq!(matches!(error, ControlError::NotAnAnswer { .. }), nonsense, "{error}");
    }
    owner.await.unwrap();
}
