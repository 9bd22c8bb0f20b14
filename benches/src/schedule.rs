//! The order of runs: sides alternate run by run, and the first measurement is repeated last.

use serde::{Deserialize, Serialize};

/// Why a run happens. Only `Measured` runs enter medians and ratios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Before the clock counts: caches fill, processes settle.
    Warmup,
    Measured,
    /// The first measurement again, after all others; its distance from the first is the drift.
    Repeat,
}

/// One run of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) side: usize,
    pub(crate) phase: Phase,
}

/// Gives the turns of one pair (or of one side alone): warm-ups, then A B A B …, then the first rounds again.
pub(crate) fn turns(sides: usize, warmup: u32, rounds: u32) -> Vec<Turn> {
    let block =
        |phase, count: u32| (0..count).flat_map(move |_| (0..sides).map(move |side| Turn { side, phase }));
    block(Phase::Warmup, warmup)
        .chain(block(Phase::Measured, rounds))
        .chain(block(Phase::Repeat, repeated_rounds(rounds)))
        .collect()
}

/// How many of the first rounds are repeated last: a tenth, at least 3 where there are as many.
pub(crate) fn repeated_rounds(rounds: u32) -> u32 {
    (rounds / 10).max(3).min(rounds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_alternate_run_by_run_and_the_first_rounds_come_again_last() {
        let turns = turns(2, 1, 4);
        let sides: Vec<usize> = turns.iter().map(|turn| turn.side).collect();
        assert_eq!(sides, [0, 1].repeat(1 + 4 + 3));
        let phases: Vec<Phase> = turns.iter().map(|turn| turn.phase).collect();
        assert_eq!(phases[..2], [Phase::Warmup; 2]);
        assert_eq!(phases[2..10], [Phase::Measured; 8]);
        assert_eq!(phases[10..], [Phase::Repeat; 6]);
    }

    #[test]
    fn a_side_alone_is_also_repeated() {
        assert_eq!(turns(1, 0, 2).iter().filter(|turn| turn.phase == Phase::Repeat).count(), 2);
    }

    #[test]
    fn repeated_rounds_are_a_tenth_within_bounds() {
        assert_eq!([1, 3, 20, 300].map(repeated_rounds), [1, 3, 3, 30]);
    }
}
