//! A journal beside the simplest thing that could be one.

use std::collections::BTreeMap;

use super::{create, execution, step};
use crate::journal::{Change, Edge, Filter, Journal, Notes, Page, Patch, Revision};
use crate::state::State;

/// Numbers that look random and are the same for the same seed (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap_or(0)
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Modelled {
    state: State,
    revision: u64,
    owner: Option<serde_json::Value>,
}

#[derive(Debug, Default)]
struct Model {
    records: BTreeMap<String, Modelled>,
    order: Vec<String>,
    notes: BTreeMap<String, Vec<u8>>,
}

impl Model {
    fn commit(&mut self, name: &str, edge: &Edge) -> Option<u64> {
        let owner = match &edge.patch.owner {
            Change::Set(value) => Some(value.clone()),
            _ => None,
        };
        match (edge.from(), self.records.get_mut(name)) {
            (None, None) => {
                self.records.insert(name.to_owned(), Modelled { state: edge.to, revision: 1, owner });
                self.order.push(name.to_owned());
                Some(1)
            }
            (Some(from), Some(record))
                if record.state == from
                    && !from.is_terminal()
                    && (from == edge.to || from.may_become(edge.to))
                    && edge.revision.is_none_or(|revision| revision.0 == record.revision) =>
            {
                record.state = edge.to;
                record.revision += 1;
                match &edge.patch.owner {
                    Change::Keep => {}
                    Change::Clear | Change::Set(_) => record.owner = owner,
                }
                Some(record.revision)
            }
            _ => None,
        }
    }
}

fn random_edge(chance: &mut Chance, name: &str, model: &Model) -> Edge {
    let known = model.records.get(name);
    let mut edge = match chance.below(8) {
        0 | 1 => create(name),
        // Often a step that begins where the record is.
        2..=6 => {
            let from = known.map_or(State::Queued, |record| record.state);
            step(name, from, State::ALL[chance.below(State::ALL.len())])
        }
        _ => {
            step(name, State::ALL[chance.below(State::ALL.len())], State::ALL[chance.below(State::ALL.len())])
        }
    };
    if chance.below(4) == 0 {
        let off = u64::from(chance.below(3) == 0);
        edge = edge.at_revision(Revision(known.map_or(0, |record| record.revision) + off));
    }
    let owner = match chance.below(3) {
        0 => Change::Keep,
        1 => Change::Clear,
        _ => Change::Set(serde_json::json!(chance.below(100))),
    };
    edge.with(Patch { owner, ..Patch::default() })
}

/// Commits `edges` random edges, legal and not, and compares with a model after each.
///
/// # Panics
/// Where journal and model differ; the seed is in the message.
pub async fn check_against_model(journal: &dyn Journal, seed: u64, edges: usize) {
    let mut chance = Chance(seed.max(1));
    let mut model = Model::default();
    for at in 0..edges {
        let name = format!("x-{}", chance.below(12));
        if chance.below(16) == 0 {
            let removable = model.records.get(&name).map(|record| record.state.is_terminal());
            let removed = journal.remove(&execution(&name)).await;
            match removable {
                Some(false) => assert!(removed.is_err(), "seed {seed}, step {at}: {name} is live"),
                known => assert_eq!(removed.ok(), Some(known.is_some()), "seed {seed}, step {at}: {name}"),
            }
            if removable == Some(true) {
                model.records.remove(&name);
                model.order.retain(|other| *other != name);
            }
        } else {
            let edge = random_edge(&mut chance, &name, &model);
            let note = format!("n-{}", chance.below(4));
            let expected = model.commit(&name, &edge);
            let text = format!("{edge:?}");
            let found = journal.commit(edge, Notes::none().put(&note, name.as_bytes())).await;
            let found = found.ok().map(|revision| revision.0);
            assert_eq!(found, expected, "seed {seed}, step {at}: {text}");
            if expected.is_some() {
                model.notes.insert(note, name.clone().into_bytes());
            }
        }
        compare_one(journal, &model, &name, seed).await;
    }
    compare_all(journal, &model, seed).await;
}

async fn compare_one(journal: &dyn Journal, model: &Model, name: &str, seed: u64) {
    let found = journal.get(&execution(name)).await.expect("a record is read");
    let found = found.map(|record| Modelled {
        state: record.state,
        revision: record.revision.0,
        owner: record.owner.clone(),
    });
    assert_eq!(found.as_ref(), model.records.get(name), "seed {seed}: {name}");
}

async fn compare_all(journal: &dyn Journal, model: &Model, seed: u64) {
    for filter in [Filter::all(), Filter::live(), Filter::ended()] {
        let listed = journal.list(&filter, Page::first(1_000)).await.expect("a page is read");
        let listed: Vec<&str> = listed.iter().map(|record| record.execution_id.as_str()).collect();
        let wanted = |name: &&String| {
            let state = model.records[*name].state;
            filter.states.as_ref().is_none_or(|states| states.contains(&state))
        };
        let expected: Vec<&String> = model.order.iter().filter(wanted).collect();
        assert_eq!(listed, expected, "seed {seed}: {filter:?}");
    }
    let notes = journal.notes("").await.expect("notes are read");
    let notes: BTreeMap<_, _> = notes.into_iter().map(|note| (note.key, note.value)).collect();
    assert_eq!(notes, model.notes, "seed {seed}");
}
