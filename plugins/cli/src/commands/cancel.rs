//! `frogfish cancel`: asks an execution, or all of a job, to stop.

use frogfish::instance::control::{ControlClient, ControlError};
use serde_json::json;

use crate::args::Cancel;
use crate::exit;
use crate::instances::{self, Seen};
use crate::out;
use crate::problem::Problem;
use crate::session;
use crate::settings::Settings;

pub(super) fn run(args: &Cancel, settings: &Settings) -> Result<u8, Problem> {
    session::small_runtime()?.block_on(cancel(args, settings))
}

async fn cancel(args: &Cancel, settings: &Settings) -> Result<u8, Problem> {
    let found = instances::find(&settings.data_dir.value, &args.id).await?;
    let running: Vec<&Seen> = found.iter().filter(|seen| !seen.state().is_terminal()).collect();
    if running.is_empty() {
        let ended = found.iter().map(|seen| format!("{} is {}", seen.record.execution_id, seen.state()));
        let message = format!("nothing to cancel: {}", ended.collect::<Vec<_>>().join(", "));
        return Err(Problem::new(exit::REFUSED, "ExecutionAlreadyComplete", message));
    }
    let mut asked = Vec::new();
    for seen in running {
        let id = &seen.record.execution_id;
        let state = ControlClient::new(&seen.instance).cancel(id).await.map_err(|error| match error {
            ControlError::Refused(failure) => Problem::from(failure).with_status(exit::REFUSED),
            error => Problem::failed(error.to_string()),
        })?;
        asked.push((seen, state));
    }
    if args.json {
        let object = |(seen, state): &(&Seen, frogfish::State)| {
            json!({
                "execution_id": seen.record.execution_id,
                "job_id": seen.record.job_id,
                "state": state.as_str(),
            })
        };
        out::json(&json!({ "cancelled": asked.iter().map(object).collect::<Vec<_>>() }))?;
    } else {
        for (seen, state) in &asked {
            out::line(&format!("{} was {state} and is asked to stop", seen.record.execution_id))?;
        }
    }
    Ok(0)
}
