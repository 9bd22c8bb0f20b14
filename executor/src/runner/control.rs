//! The runner, asked by other processes of the same user.

use std::sync::{Arc, Weak};

use async_trait::async_trait;

use crate::error::Error;
use crate::failure::{Failure, ReasonCode};
use crate::id::ExecutionId;
use crate::instance::control::ControlHandler;
use crate::journal::{Filter, JournalError, Page, Record};
use crate::logs::{LogOptions, Logs};
use crate::runner::handle::{Cancelled, ExecutionHandle};
use crate::runner::shared::Shared;
use crate::state::State;

/// Answers for a runner as long as there is one.
#[derive(Debug)]
pub(super) struct Control(Weak<Shared>);

impl Control {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    fn shared(&self) -> Result<Arc<Shared>, Failure> {
        self.0.upgrade().ok_or_else(|| Failure::new(ReasonCode::Internal, "the runner is gone"))
    }

    fn handle(&self, id: &ExecutionId) -> Result<ExecutionHandle, Failure> {
        let live = self.shared()?.registry.get(id);
        live.map(ExecutionHandle::new).ok_or_else(|| {
            Failure::new(ReasonCode::InputNotFound, format!("no execution {id} is known to this process"))
        })
    }
}

fn of_journal(error: JournalError) -> Failure {
    of_error(error.into())
}

fn of_error(error: Error) -> Failure {
    match error {
        Error::Refused(failure) => failure,
        error => Failure::new(ReasonCode::Internal, error.to_string()),
    }
}

#[async_trait]
impl ControlHandler for Control {
    async fn list(&self, filter: &Filter, page: Page) -> Result<Vec<Arc<Record>>, Failure> {
        self.shared()?.journal.list(filter, page).await.map_err(of_journal)
    }

    async fn describe(&self, execution: &ExecutionId) -> Result<Option<Arc<Record>>, Failure> {
        self.shared()?.journal.get(execution).await.map_err(of_journal)
    }

    async fn cancel(&self, execution: &ExecutionId) -> Result<State, Failure> {
        let handle = self.handle(execution)?;
        let state = handle.state();
        match handle.cancel() {
            Cancelled::Asked | Cancelled::AskedBefore => Ok(state),
            Cancelled::AlreadyEnded(state) => {
                let message = format!("execution {execution} has ended already: {state}");
                Err(Failure::new(ReasonCode::Refused, message))
            }
        }
    }

    async fn logs(&self, execution: &ExecutionId, options: LogOptions) -> Result<Logs, Failure> {
        match self.handle(execution) {
            Ok(handle) => handle.logs(options).await.map_err(of_error),
            Err(missing) => {
                let logs = self.shared()?.recorded_logs(execution, options).await;
                logs.map_err(of_error)?.ok_or(missing)
            }
        }
    }
}
