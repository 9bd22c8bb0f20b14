//! A data folder, and the program run in it.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use frogfish_fixtures::guests::Guest;
use serde_json::Value;
use tempfile::TempDir;

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A folder that holds everything one test leaves.
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The file of a guest, made on first use.
    pub(crate) fn guest(&self, guest: Guest) -> PathBuf {
        let path = self.path(&format!("{}.wasm", guest.name));
        if !path.exists() {
            std::fs::write(&path, guest.bytes()).unwrap();
        }
        path
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// The program with these arguments; it sees nothing of the environment that the tests run in.
    pub(crate) fn frogfish<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_frogfish"));
        command.env_clear().env("HOME", self.0.path()).env("FROGFISH_DATA_DIR", self.data());
        command.current_dir(self.0.path()).stdin(Stdio::null()).args(args);
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        Ran::new(self.frogfish(args).output().unwrap())
    }

    /// Runs `frogfish wasm run` with flags before the module and arguments after it.
    pub(crate) fn wasm<A: AsRef<str>>(&self, flags: &[A], guest: Guest, args: &[&str]) -> Ran {
        self.run(self.wasm_args(flags, guest, args))
    }

    pub(crate) fn wasm_args<A: AsRef<str>>(&self, flags: &[A], guest: Guest, args: &[&str]) -> Vec<String> {
        let mut all = vec!["wasm".to_owned(), "run".to_owned()];
        all.extend(flags.iter().map(|flag| flag.as_ref().to_owned()));
        all.push(self.guest(guest).to_str().unwrap().to_owned());
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        all
    }

    /// Starts the program in the background, its output piped.
    pub(crate) fn start<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Background {
        let mut command = self.frogfish(args);
        Background(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    /// What `ps` says of every execution.
    pub(crate) fn ps(&self, flags: &[&str]) -> Vec<Value> {
        let ran = self.run(["ps", "--json"].iter().chain(flags));
        assert_eq!(ran.status, 0, "{ran:?}");
        serde_json::from_str::<Vec<Value>>(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Waits until `ps` shows an execution in this state, and returns it.
    pub(crate) fn wait_for(&self, state: &str) -> Value {
        eventually(&format!("an execution is {state}"), || {
            self.ps(&["--all"]).into_iter().find(|seen| seen["state"] == state)
        })
    }
}

/// What a command that has ended said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn new(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { status: status(output.status), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The one JSON value on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The path after `results: ` on stderr.
    #[track_caller]
    pub(crate) fn results(&self) -> PathBuf {
        let line = self.stderr.lines().find_map(|line| line.strip_prefix("results: "));
        let line = line.unwrap_or_else(|| panic!("no results: {self:?}"));
        line.split(" (kept").next().unwrap().into()
    }
}

fn status(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().unwrap_or_else(|| -status.signal().unwrap())
}

/// A command in the background; killed if the test forgets it.
pub(crate) struct Background(Option<Child>);

impl Background {
    pub(crate) fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    /// Waits for a line on its stdout, and takes it.
    pub(crate) fn line(&mut self) -> String {
        let stdout = self.child().stdout.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        while stdout.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
            line.extend(byte);
        }
        String::from_utf8(line).unwrap()
    }

    pub(crate) fn signal(&mut self, name: &str) {
        let pid = self.child().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        let mut child = self.0.take().unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let read = |mut from: Box<dyn std::io::Read + Send>| {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                from.read_to_end(&mut bytes).unwrap();
                bytes
            })
        };
        let (stdout, stderr) = (read(Box::new(stdout)), read(Box::new(stderr)));
        let until = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > until {
                child.kill().unwrap();
                panic!("the command did not end");
            }
            pause();
        };
        Ran::new(Output { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "in vain: {what}");
        pause();
    }
}

/// Between two looks at another process, which tells nobody.
fn pause() {
    std::thread::park_timeout(Duration::from_millis(10));
}

/// Names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
