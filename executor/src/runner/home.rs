//! The folder of a runner's instance.

use std::io;
use std::path::{Path, PathBuf};

use crate::id::{ExecutionId, InstanceId};

#[derive(Debug)]
pub(crate) struct Home {
    folder: PathBuf,
    executions: PathBuf,
    id: InstanceId,
}

impl Home {
    pub(crate) fn at(folder: PathBuf) -> io::Result<Self> {
        let executions = folder.join("executions");
        std::fs::create_dir_all(&executions)?;
        Ok(Self { folder, executions, id: InstanceId::random() })
    }
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
    pub(crate) fn id(&self) -> &InstanceId {
        &self.id
    }
    pub(crate) fn executions(&self) -> &Path {
        &self.executions
    }
    pub(crate) fn execution(&self, id: &ExecutionId) -> PathBuf {
        self.executions.join(id.as_str())
    }
    pub(crate) fn close(&self) {}
}
