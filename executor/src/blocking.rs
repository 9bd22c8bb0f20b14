//! Work that blocks, beside tasks that must not.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Whether [`run`] does its work on the calling thread.
pub(crate) fn is_here() -> bool {
    Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread
}

/// Runs `work`, which blocks, without holding up other tasks.
///
/// On a runtime with several threads the calling thread does it, after handing its other tasks over: one
/// hand-over instead of two. On a runtime with one thread another thread does it.
///
/// # Panics
/// If `work` does, with its panic.
///
/// # Cancel
/// Work that began runs to its end.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    if is_here() {
        return tokio::task::block_in_place(work);
    }
    elsewhere(work).await
}

/// Runs `work`, which blocks, on another thread: for calls that come from a caller's task, of which nothing is known
/// (within a `LocalSet` it may not block).
///
/// # Panics
/// If `work` does, with its panic.
///
/// # Cancel
/// Work that began runs to its end.
pub(crate) async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // A blocking task is only cancelled when the runtime goes away, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}
