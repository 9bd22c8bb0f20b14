//! At start: what the journal says against what is there.

/// What was found and settled when a runner started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reconciled {
    /// Executions of an earlier process that were running, and have failed as interrupted.
    pub interrupted: u64,
    /// Folders without a record, which were removed.
    pub orphans: u64,
}
