//! The engine conformance suite on every engine.

use std::sync::Arc;

use frogfish::Runner;
use frogfish::conformance::scripted::ScriptedEngine;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scripted_engine_keeps_to_the_contract() {
    let (data, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = Arc::new(ScriptedEngine::new());
    let runner = Runner::builder().engine(engine.clone()).data_dir(data.path()).build().await.unwrap();
    frogfish::conformance::engine::check(&runner, &*engine, scratch.path()).await;
}

#[tokio::test]
async fn the_contract_holds_on_a_runtime_with_one_thread() {
    let (data, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let engine = Arc::new(ScriptedEngine::new());
    let runner = Runner::builder().engine(engine.clone()).data_dir(data.path()).build().await.unwrap();
    frogfish::conformance::engine::check(&runner, &*engine, scratch.path()).await;
}

#[cfg(feature = "wasm")]
mod wasm {
    use std::path::PathBuf;

    use frogfish::conformance::engine::{Programs, check};
    use frogfish::{Durability, Execution, Runner};
    use frogfish_fixtures::guests;

    /// Programs as modules, written into a folder.
    struct Modules(tempfile::TempDir);

    impl Modules {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn module(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        }

        fn assembled(&self, name: &str, text: &str) -> Execution {
            Execution::wasm(self.module(name, &wat::parse_str(text).unwrap()))
        }
    }

    fn escaped(text: &str) -> String {
        text.bytes().map(|byte| format!("\\{byte:02x}")).collect::<Vec<_>>().concat()
    }

    /// Calls of preview 1, an iovec at 0 for the bytes at 64 and one at 8 for those at 1024.
    fn program(out: &str, err: &str, body: &str) -> String {
        format!(
            r#"(module
              (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (import "wasi_snapshot_preview1" "path_open"
                (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
              (memory (export "memory") 1)
              (data (i32.const 64) "{}")
              (data (i32.const 1024) "{}")
              (func $print (param $fd i32) (param $at i32) (param $bytes i32)
                (i32.store (i32.const 0) (local.get $at))
                (i32.store (i32.const 4) (local.get $bytes))
                (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 16)) (then unreachable)))
              (func (export "_start") {body}))"#,
            escaped(out),
            escaped(err),
        )
    }

    impl Programs for Modules {
        fn prints(&self, out: &str, err: &str) -> Execution {
            let body = format!(
                "(call $print (i32.const 1) (i32.const 64) (i32.const {}))
                 (call $print (i32.const 2) (i32.const 1024) (i32.const {}))
                 (call $exit (i32.const 123))",
                out.len(),
                err.len()
            );
            self.assembled("prints.wasm", &program(out, err, &body))
        }

        fn waits(&self) -> Execution {
            let body = "(call $print (i32.const 1) (i32.const 64) (i32.const 6)) (loop $again (br $again))";
            self.assembled("waits.wasm", &program("begun\n", "", body))
        }

        fn spins(&self) -> Execution {
            Execution::wasm(self.module("spins.wasm", &guests::ENDLESS_LOOP.bytes()))
        }

        fn prints_environment(&self) -> Execution {
            Execution::wasm(self.module("env.wasm", &guests::ENV.bytes()))
        }

        fn copies(&self, path: &str) -> Execution {
            Execution::wasm(self.module("cat.wasm", &guests::CAT.bytes())).arg(path)
        }

        fn writes(&self, path: &str, content: &str) -> Execution {
            // Descriptor 3 is the root; create and truncate are 1 and 8, the right to write is 1 << 6.
            let path = path.trim_start_matches('/');
            let body = format!(
                "(if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const {}) (i32.const 9)
                    (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 24)) (then unreachable))
                 (call $print (i32.load (i32.const 24)) (i32.const 1024) (i32.const {}))",
                path.len(),
                content.len()
            );
            self.assembled("writes.wasm", &program(path, content, &body))
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_wasm_engine_keeps_to_the_contract_in_memory() {
        let scratch = tempfile::tempdir().unwrap();
        let runner = Runner::builder().wasm().build().await.unwrap();
        check(&runner, &Modules::new(), scratch.path()).await;
    }

    #[tokio::test]
    async fn the_wasm_engine_keeps_to_the_contract_with_a_journal_and_one_thread() {
        let (data, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let builder =
            Runner::builder().wasm().data_dir(data.path().join("node")).cache_dir(data.path().join("cache"));
        let runner = builder.durability(Durability::Process).build().await.unwrap();
        check(&runner, &Modules::new(), scratch.path()).await;
        runner.shutdown().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn run_on_the_calling_thread_gives_what_start_gives_and_is_cancelled_from_another_task() {
        let (modules, runner) = (Modules::new(), Runner::builder().wasm().build().await.unwrap());
        let started = runner.start(modules.prints("out", "err")).await.unwrap().wait().await.unwrap();
        let ran = runner.run(modules.prints("out", "err")).await.unwrap();
        assert_eq!((ran.exit_code, ran.cid), (123, started.cid));

        let endless = modules.waits();
        let id = endless.id().clone();
        let running = tokio::spawn({
            let runner = runner.clone();
            async move { runner.run(endless).await }
        });
        while runner.execution(&id).is_err() {
            tokio::task::yield_now().await;
        }
        let handle = runner.execution(&id).unwrap();
        handle.reached(frogfish::State::Running).await.unwrap();
        handle.cancel();
        assert_eq!(running.await.unwrap().unwrap().state, frogfish::State::Cancelled);
    }
}
