//! What every [`Journal`] keeps to.
//!
//! ```
//! # use std::sync::Arc;
//! # use frogfish::journal::MemoryJournal;
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! frogfish::conformance::journal::check(|| Arc::new(MemoryJournal::new())).await;
//! # });
//! ```

mod model;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::capacity::Amounts;
use crate::id::{ExecutionId, JobId};
use crate::journal::{
    Change, Edge, Filter, Journal, JournalError, NOTE_BYTES_MAX, NOTE_KEY_BYTES_MAX, NOTES_MAX, Notes,
    Outcome, Page, Patch, Record, Reservation, Revision, Timestamp,
};
use crate::state::State;

pub use model::check_against_model;

const AT: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

/// Checks everything, each part on an empty journal of its own.
///
/// # Panics
/// Where the journal does not keep to its contract.
pub async fn check(open: impl Fn() -> Arc<dyn Journal>) {
    creating_and_stepping_gives_the_whole_record(&*open()).await;
    q_30_what_does_not_fit_the_record_is_refused(&*open()).await;
    only_legal_edges_are_taken(&*open()).await;
    a_patch_tells_keeping_from_clearing(&*open()).await;
    a_terminal_state_is_final_and_holds_nothing(&*open()).await;
    notes_are_committed_with_their_edge_or_not_at_all(&*open()).await;
    notes_out_of_bounds_are_refused(&*open()).await;
    lists_come_in_order_and_in_pages(&*open()).await;
    only_ended_records_are_removed(&*open()).await;
    of_rivals_for_one_edge_exactly_one_wins(open()).await;
    for seed in 1..=4 {
        check_against_model(&*open(), seed, 400).await;
    }
}

fn execution(name: &str) -> ExecutionId {
    ExecutionId::try_new(name).expect("a usable name")
}

fn job() -> (JobId, Arc<RawValue>) {
    let text = r#"{ "Name":  "as it was written" }"#;
    let json = RawValue::from_string(text.to_owned()).expect("a JSON text");
    (JobId::try_new("j-1").expect("a usable name"), json.into())
}

fn create(name: &str) -> Edge {
    let (job_id, job) = job();
    Edge::create(execution(name), job_id, job, State::Queued, AT)
}

fn step(name: &str, from: State, to: State) -> Edge {
    Edge::step(execution(name), from, to, AT)
}

async fn commit(journal: &dyn Journal, edge: Edge) -> Revision {
    journal.commit(edge, Notes::none()).await.expect("a legal edge is taken")
}

async fn refused(journal: &dyn Journal, edge: Edge) -> JournalError {
    let id = edge.execution_id.clone();
    let before = journal.get(&id).await.expect("a record is read");
    let error = journal.commit(edge.clone(), Notes::none()).await;
    let error = error.expect_err(&format!("{edge:?} is refused"));
    assert!(error.is_refusal(), "{error} is a refusal");
    let after = journal.get(&id).await.expect("a record is read");
    assert_eq!(before, after, "a refused edge changes nothing");
    error
}

async fn record(journal: &dyn Journal, name: &str) -> Record {
    let found = journal.get(&execution(name)).await.expect("a record is read");
    Record::clone(&found.expect("a committed record is found"))
}

/// Legal states on the way to `state`, from `Queued` on.
fn way_to(state: State) -> Vec<State> {
    use State::{Cancelled, Collecting, Completed, Failed, Preparing, Publishing, Queued, Running};
    let line = [Queued, Preparing, Running, Collecting, Publishing];
    match state {
        Failed | Cancelled => vec![Queued, state],
        Completed => [&line[..4], &[Completed]].concat(),
        _ => line.into_iter().take_while(|s| *s <= state).collect(),
    }
}

async fn bring(journal: &dyn Journal, name: &str, state: State) {
    let way = way_to(state);
    commit(journal, create(name)).await;
    for pair in way.windows(2) {
        commit(journal, step(name, pair[0], pair[1])).await;
    }
}

async fn creating_and_stepping_gives_the_whole_record(journal: &dyn Journal) {
    assert_eq!(journal.get(&execution("a")).await.expect("nothing is found"), None);
    assert_eq!(commit(journal, create("a")).await, Revision(1));
    let later = Timestamp::from_nanos(1_700_000_000_000_000_001);
    let edge = Edge::step(execution("a"), State::Queued, State::Preparing, later);
    assert_eq!(commit(journal, edge).await, Revision(2));
    let found = record(journal, "a").await;
    let (job_id, json) = job();
    assert_eq!((found.job_id, found.job.get()), (job_id, json.get()), "the job is kept byte by byte");
    assert_eq!((found.state, found.revision), (State::Preparing, Revision(2)));
    assert_eq!((found.created, found.modified), (AT, later));
    let entered: Vec<_> = found.entered.into_iter().collect();
    assert_eq!(entered, [(State::Queued, AT), (State::Preparing, later)]);
}

async fn q_30_what_does_not_fit_the_record_is_refused(journal: &dyn Journal) {
    let error = refused(journal, step("a", State::Queued, State::Preparing)).await;
    assert_eq!(error.to_string(), "execution not found: a");
    commit(journal, create("a")).await;
    assert_eq!(refused(journal, create("a")).await.to_string(), "execution already exists: a");
    let error = refused(journal, step("a", State::Running, State::Collecting)).await;
    assert_eq!(error.to_string(), "execution a is in state Queued but expected one of [Running]");
    let edge = step("a", State::Queued, State::Preparing).at_revision(Revision(7));
    assert_eq!(refused(journal, edge.clone()).await.to_string(), "execution a has revision 1 but expected 7");
    commit(journal, edge.at_revision(Revision(1))).await;
    assert!(!journal.remove(&execution("b")).await.expect("nothing to remove is no error"));
}

async fn only_legal_edges_are_taken(journal: &dyn Journal) {
    for from in State::ALL {
        for to in State::ALL {
            let name = format!("{from}-{to}");
            bring(journal, &name, from).await;
            let edge = step(&name, from, to);
            if from.may_become(to) || (from == to && !from.is_terminal()) {
                commit(journal, edge).await;
                assert_eq!(record(journal, &name).await.state, to);
            } else {
                refused(journal, edge).await;
            }
        }
        let (job_id, json) = job();
        let edge = Edge::create(execution(&format!("begin-{from}")), job_id, json, from, AT);
        if matches!(from, State::Queued | State::Preparing) {
            commit(journal, edge).await;
        } else {
            refused(journal, edge).await;
        }
    }
}

async fn a_patch_tells_keeping_from_clearing(journal: &dyn Journal) {
    let reservation = Reservation::new(Amounts { cpu_milli: 500, ..Amounts::default() });
    let outcome = Outcome { exit_code: Some(0), ..Outcome::default() };
    let everything = Patch {
        reservation: Change::Set(reservation.clone()),
        folder: Change::Set("/folder".into()),
        outcome: Change::Set(outcome.clone()),
        owner: Change::Set(serde_json::json!({ "cursor": 0 })),
    };
    commit(journal, create("a").with(everything)).await;
    commit(journal, step("a", State::Queued, State::Preparing)).await;
    let kept = record(journal, "a").await;
    assert_eq!((kept.reservation.as_ref(), kept.outcome.as_ref()), (Some(&reservation), Some(&outcome)));
    let change = Patch { owner: Change::Clear, folder: Change::Set("".into()), ..Patch::default() };
    commit(journal, Edge::amend(execution("a"), State::Preparing, AT).with(change)).await;
    let changed = record(journal, "a").await;
    assert_eq!(changed.owner, None, "cleared is absent");
    assert_eq!(changed.folder, Some("".into()), "empty is not absent");
    assert_eq!(changed.reservation, Some(reservation), "what is not named is kept");
    assert_eq!(changed.revision, Revision(3), "an amendment is a revision");
}

async fn a_terminal_state_is_final_and_holds_nothing(journal: &dyn Journal) {
    for end in State::ALL.into_iter().filter(|s| s.is_terminal()) {
        let name = end.as_str();
        let before = way_to(end);
        bring(journal, name, before[before.len() - 2]).await;
        let reservation = Change::Set(Reservation::default());
        let edge = step(name, before[before.len() - 2], end);
        commit(journal, edge.with(Patch { reservation, ..Patch::default() })).await;
        assert_eq!(record(journal, name).await.reservation, None);
        for to in State::ALL {
            let error = refused(journal, step(name, end, to)).await;
            let text = format!("execution {name} is in terminal state {end} and cannot transition to {to}");
            assert_eq!(error.to_string(), text);
        }
    }
}

async fn keys(journal: &dyn Journal, prefix: &str) -> Vec<String> {
    let notes = journal.notes(prefix).await.expect("notes are read");
    notes.into_iter().map(|note| note.key).collect()
}

async fn notes_are_committed_with_their_edge_or_not_at_all(journal: &dyn Journal) {
    let notes = Notes::none().put("a/2", "two").put("a/1", "one").put("b", "").put("a/3", [0xff, 0]);
    journal.commit(create("a"), notes).await.expect("a legal edge is taken");
    assert_eq!(keys(journal, "a/").await, ["a/1", "a/2", "a/3"], "sorted, and only below the prefix");
    let notes = Notes::none().put("c", "not written").remove("a/1");
    journal.commit(create("a"), notes).await.expect_err("a second creation is refused");
    assert_eq!(keys(journal, "").await, ["a/1", "a/2", "a/3", "b"]);
    let notes = Notes::none().put("a/1", "newer").remove("a/2").remove("not there").put("x", "1").remove("x");
    journal.note(notes).await.expect("notes alone are taken");
    let found = journal.notes("").await.expect("notes are read");
    let found: Vec<(&str, &[u8])> = found.iter().map(|n| (n.key.as_str(), n.value.as_slice())).collect();
    assert_eq!(found, [("a/1", &b"newer"[..]), ("a/3", &[0xff, 0]), ("b", b"")]);
}

async fn notes_out_of_bounds_are_refused(journal: &dyn Journal) {
    let many = (0..=NOTES_MAX).fold(Notes::none(), |notes, n| notes.put(n.to_string(), ""));
    let long_key = "é".repeat(NOTE_KEY_BYTES_MAX / 2 + 1);
    for bad in [
        many,
        Notes::none().put("", ""),
        Notes::none().put(long_key, ""),
        Notes::none().put("k", vec![0; NOTE_BYTES_MAX + 1]),
    ] {
        assert!(journal.note(bad.clone()).await.expect_err("too much is refused").is_refusal());
        journal.commit(create("a"), bad).await.expect_err("too much is refused");
    }
    assert_eq!(journal.get(&execution("a")).await.expect("a record is read"), None);
    assert!(keys(journal, "").await.is_empty());
}

async fn names(journal: &dyn Journal, filter: &Filter, mut page: Page) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        let found = journal.list(filter, page).await.expect("a page is read");
        assert!(found.len() <= page.records_max);
        let Some(last) = found.last() else { return all };
        page = page.after(last);
        all.extend(found.iter().map(|r| r.execution_id.to_string()));
    }
}

async fn lists_come_in_order_and_in_pages(journal: &dyn Journal) {
    for (name, state) in [
        ("d", State::Queued),
        ("a", State::Running),
        ("c", State::Failed),
        ("e", State::Collecting),
        ("b", State::Completed),
    ] {
        bring(journal, name, state).await;
    }
    let other = JobId::try_new("j-2").expect("a usable name");
    let late = Timestamp::from_nanos(u64::MAX);
    commit(journal, Edge::create(execution("f"), other.clone(), job().1, State::Queued, late)).await;
    let all = ["d", "a", "c", "e", "b", "f"];
    for size in [1, 2, 5, 6, usize::MAX] {
        assert_eq!(names(journal, &Filter::all(), Page::first(size)).await, all);
        let newest = names(journal, &Filter::all(), Page::newest(size)).await;
        assert!(newest.iter().eq(all.iter().rev()), "newest first: {newest:?}");
        assert_eq!(names(journal, &Filter::live(), Page::first(size)).await, ["d", "a", "e", "f"]);
        assert_eq!(names(journal, &Filter::live(), Page::newest(size)).await, ["f", "e", "a", "d"]);
        assert_eq!(names(journal, &Filter::ended(), Page::first(size)).await, ["c", "b"]);
    }
    assert!(names(journal, &Filter::all(), Page::first(0)).await.is_empty());
    assert_eq!(names(journal, &Filter::job(other), Page::first(9)).await, ["f"]);
    assert_eq!(names(journal, &Filter::states([State::Running]), Page::first(9)).await, ["a"]);
    let early = Filter { modified_before: Some(late), ..Filter::all() };
    assert_eq!(names(journal, &early, Page::first(9)).await, all[..5]);
}

async fn only_ended_records_are_removed(journal: &dyn Journal) {
    bring(journal, "a", State::Running).await;
    bring(journal, "b", State::Failed).await;
    let error = journal.remove(&execution("a")).await.expect_err("a live record stays");
    assert!(matches!(error, JournalError::NotEnded { state: State::Running, .. }), "{error}");
    let removed = record(journal, "b").await.sequence;
    assert!(journal.remove(&execution("b")).await.expect("an ended record goes"));
    assert!(!journal.remove(&execution("b")).await.expect("once"));
    assert_eq!(names(journal, &Filter::all(), Page::first(9)).await, ["a"]);
    commit(journal, create("b")).await;
    assert!(record(journal, "b").await.sequence > removed, "a sequence is never used twice");
}

async fn of_rivals_for_one_edge_exactly_one_wins(journal: Arc<dyn Journal>) {
    for round in 0..8 {
        let name = format!("r-{round}");
        let mut rivals = tokio::task::JoinSet::new();
        for rival in 0..16 {
            let (journal, edge) = (Arc::clone(&journal), create(&name));
            let notes = Notes::none().put(format!("{name}/{rival}"), "won");
            rivals.spawn(async move { journal.commit(edge, notes).await.is_ok() });
        }
        let results: Vec<bool> = rivals.join_all().await;
        assert_eq!(results.iter().filter(|won| **won).count(), 1, "one rival wins");
        assert_eq!(keys(&*journal, &format!("{name}/")).await.len(), 1, "with its note alone");
    }
    let listed = journal.list(&Filter::all(), Page::first(99)).await.expect("a page is read");
    let sequences: BTreeSet<u64> = listed.iter().map(|r| r.sequence).collect();
    assert_eq!(sequences.len(), 8);
}
