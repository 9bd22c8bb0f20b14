//! The owner's side of the control socket.

use std::fmt;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

use super::ControlHandler;
use super::wire::{Address, Answer, Request};
use crate::failure::{Failure, ReasonCode};
use crate::instance::{CONTROL_SOCKET, Instance, InstanceError};
use crate::limits::Limits;
use crate::logs::Logs;

/// Milliseconds within which a client has sent its request.
const REQUEST_MS_MAX: u64 = 5_000;

/// Milliseconds without a descriptor or memory for the next client before it is tried again.
const ACCEPT_RETRY_MS: u64 = 100;

/// Answers on an instance's control socket until it is dropped.
pub struct ControlServer {
    accepting: JoinHandle<()>,
    socket: PathBuf,
}

impl ControlServer {
    /// Begins to answer. Call it within a tokio runtime.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn start(
        instance: &Instance,
        handler: Arc<dyn ControlHandler>,
        limits: &Limits,
    ) -> Result<Self, InstanceError> {
        let socket = instance.folder().join(CONTROL_SOCKET);
        let listener =
            bind(instance).map_err(|error| InstanceError::io("making control socket", &socket, error))?;
        let bounds = Bounds {
            request_bytes_max: limits.control_request_bytes_max,
            clients_max: limits.control_clients_max,
        };
        Ok(Self { accepting: tokio::spawn(accept(listener, handler, bounds)), socket })
    }

    /// Stops answering; whoever is being answered is cut off.
    pub async fn stop(mut self) {
        self.accepting.abort();
        // Aborted is what it was asked to be.
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.accepting.abort();
        // Its instance's lock is still ours: nobody else's socket can be there.
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl fmt::Debug for ControlServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlServer").field("socket", &self.socket).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
struct Bounds {
    request_bytes_max: usize,
    clients_max: usize,
}

/// The folder is 0700 and locked: what lies at the socket's place is a dead process's.
fn bind(instance: &Instance) -> io::Result<UnixListener> {
    let address = Address::of(instance.folder())?;
    match std::fs::remove_file(&address.path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&address.path)?;
    std::fs::set_permissions(&address.path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn accept(listener: UnixListener, handler: Arc<dyn ControlHandler>, bounds: Bounds) {
    let mut clients = JoinSet::new();
    loop {
        while clients.try_join_next().is_some() {}
        if clients.len() >= bounds.clients_max {
            // The next one waits in the kernel's queue.
            clients.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, _)) if is_allowed(&stream) => {
                let handler = Arc::clone(&handler);
                clients.spawn(async move {
                    // A client that breaks off has nothing to be told.
                    let _ = serve(stream, &*handler, bounds.request_bytes_max).await;
                });
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await,
        }
    }
}

/// The socket's mode says the same; this holds where the file system ignores modes.
fn is_allowed(stream: &UnixStream) -> bool {
    let us = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == us || peer.uid() == 0)
}

async fn serve(stream: UnixStream, handler: &dyn ControlHandler, bytes_max: usize) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let patience = Duration::from_millis(REQUEST_MS_MAX);
    let request = match tokio::time::timeout(patience, read_request(&mut read, bytes_max)).await {
        Ok(request) => request?,
        Err(_) => Err(refusal(format!("no request within {REQUEST_MS_MAX} ms"))),
    };
    let result = match request {
        Ok(request) => answer(request, handler, &mut read, &mut write).await?,
        Err(failure) => Err(failure),
    };
    let last = match result {
        Ok(()) => Answer::<()>::Done,
        Err(failure) => Answer::Error(failure),
    };
    send(&mut write, &last).await
}

fn refusal(message: String) -> Failure {
    Failure::new(ReasonCode::SpecError, format!("control socket: {message}"))
}

/// Reads the request, or says what is wrong with it.
async fn read_request(
    read: &mut BufReader<OwnedReadHalf>,
    bytes_max: usize,
) -> io::Result<Result<Request, Failure>> {
    let mut line = Vec::new();
    let bounded = u64::try_from(bytes_max).unwrap_or(u64::MAX);
    read.take(bounded).read_until(b'\n', &mut line).await?;
    if line.last() != Some(&b'\n') {
        return Ok(Err(refusal(format!("a request is one line of at most {bytes_max} bytes"))));
    }
    Ok(serde_json::from_slice(&line).map_err(|error| refusal(format!("reading the request: {error}"))))
}

async fn answer(
    request: Request,
    handler: &dyn ControlHandler,
    read: &mut BufReader<OwnedReadHalf>,
    write: &mut OwnedWriteHalf,
) -> io::Result<Result<(), Failure>> {
    match request {
        Request::Ps { filter, page } => match handler.list(&filter, page).await {
            Ok(records) => {
                for record in records {
                    send(write, &Answer::Record(&*record)).await?;
                }
            }
            Err(failure) => return Ok(Err(failure)),
        },
        Request::Describe { execution } => match handler.describe(&execution).await {
            Ok(Some(record)) => send(write, &Answer::Record(&*record)).await?,
            Ok(None) => {}
            Err(failure) => return Ok(Err(failure)),
        },
        Request::Cancel { execution } => match handler.cancel(&execution).await {
            Ok(state) => send(write, &Answer::<()>::Cancelling(state)).await?,
            Err(failure) => return Ok(Err(failure)),
        },
        Request::Logs { execution, options } => match handler.logs(&execution, options.into()).await {
            Ok(logs) => return pass_on(logs, read, write).await,
            Err(failure) => return Ok(Err(failure)),
        },
    }
    Ok(Ok(()))
}

/// Passes on a log until it ends or the client goes.
async fn pass_on(
    mut logs: Logs,
    read: &mut BufReader<OwnedReadHalf>,
    write: &mut OwnedWriteHalf,
) -> io::Result<Result<(), Failure>> {
    loop {
        let entry = tokio::select! {
            entry = logs.next() => entry,
            gone = wait_until_gone(read) => return Err(gone),
        };
        match entry {
            Ok(Some(entry)) => send(write, &Answer::<()>::Entry(entry.into())).await?,
            Ok(None) => return Ok(Ok(())),
            Err(error) => return Ok(Err(Failure::new(ReasonCode::Internal, error.to_string()))),
        }
    }
}

/// Returns once the client has closed its end; what else it sends is ignored.
async fn wait_until_gone(read: &mut BufReader<OwnedReadHalf>) -> io::Error {
    loop {
        match read.fill_buf().await {
            Ok([]) => return io::ErrorKind::BrokenPipe.into(),
            Ok(ignored) => {
                let bytes = ignored.len();
                read.consume(bytes);
            }
            Err(error) => return error,
        }
    }
}

async fn send<R: Serialize>(write: &mut OwnedWriteHalf, answer: &Answer<R>) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    write.write_all(&line).await
}
