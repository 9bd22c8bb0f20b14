//! The instance of one runner: its folder, its control socket, and what happens to both at the end.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::id::{ExecutionId, InstanceId};
use crate::instance::control::{ControlHandler, ControlServer};
use crate::instance::{Instance, InstanceError};
use crate::limits::Limits;
use crate::runner::shared::remove_tree;

#[derive(Debug)]
pub(crate) struct Home {
    id: InstanceId,
    folder: PathBuf,
    executions: PathBuf,
    private: bool,
    held: Mutex<Held>,
}

/// What is given back when the runner ends: the socket before the folder.
#[derive(Debug)]
struct Held {
    control: Option<ControlServer>,
    instance: Option<Instance>,
}

impl Home {
    /// Takes an instance over and makes sure that execution folders can be made in it.
    pub(crate) fn new(instance: Instance) -> Result<Self, Error> {
        let executions = instance.executions_folder();
        make_private_folder(&executions).map_err(|source| Error::Io {
            doing: "making",
            path: executions.clone(),
            source,
        })?;
        Ok(Self {
            id: instance.id().clone(),
            folder: instance.folder().to_owned(),
            executions,
            private: instance.is_private(),
            held: Mutex::new(Held { control: None, instance: Some(instance) }),
        })
    }

    /// Begins to answer other processes of this user.
    pub(crate) fn answer(
        &self,
        handler: Arc<dyn ControlHandler>,
        limits: &Limits,
    ) -> Result<(), InstanceError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Held { control, instance } = &mut *held;
        if let Some(instance) = instance {
            *control = Some(ControlServer::start(instance, handler, limits)?);
        }
        Ok(())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn id(&self) -> &InstanceId {
        &self.id
    }

    /// The folder of execution folders; it exists.
    pub(crate) fn executions(&self) -> &Path {
        &self.executions
    }

    pub(crate) fn execution(&self, id: &ExecutionId) -> PathBuf {
        self.executions.join(id.as_str())
    }

    /// Whether the folder goes with the runner.
    pub(crate) fn is_private(&self) -> bool {
        self.private
    }

    /// Says that nothing was left running, and gives the folder back. A private folder stays until it is dropped:
    /// outcomes still point into it.
    pub(crate) async fn close(&self) {
        let (control, instance) = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            let instance = if self.private { None } else { held.instance.take() };
            (held.control.take(), instance)
        };
        if let Some(control) = control {
            control.stop().await;
        }
        if let Some(Err(error)) = instance.map(Instance::close) {
            tracing::warn!(%error, "the instance could not be closed");
        }
    }
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Removes an execution's folder when nobody has a handle or an outcome of it any more, once it is armed.
#[derive(Debug)]
pub(crate) struct FolderGuard {
    folder: PathBuf,
    armed: AtomicBool,
}

impl FolderGuard {
    pub(crate) fn new(folder: PathBuf, armed: bool) -> Self {
        Self { folder, armed: AtomicBool::new(armed) }
    }

    /// From now on the folder goes with the last who can ask for it.
    pub(crate) fn arm(&self) {
        self.armed.store(true, Ordering::Release);
    }
}

impl Drop for FolderGuard {
    fn drop(&mut self) {
        if !self.armed.load(Ordering::Acquire) {
            return;
        }
        if let Err(error) = remove_tree(&self.folder) {
            let folder = self.folder.display();
            tracing::warn!(%folder, %error, "an execution's folder could not be removed");
        }
    }
}
