//! Two reports side by side: what became faster, slower, or cannot be told.

use std::fmt::Write;

use crate::report::{Report, ScenarioReport, interval, time};
use crate::stats;

/// Gives a table of text; ratios are B over A.
pub(crate) fn table(a: &Report, b: &Report) -> String {
    let mut text = String::from("scenario · side · median A · median B · B/A [95 % interval] · verdict\n");
    for difference in machine_differences(a, b) {
        let _ = writeln!(text, "note: {difference}");
    }
    for scenario in &b.scenarios {
        let name = &scenario.scenario.name;
        let Some(before) = a.scenarios.iter().find(|before| before.scenario.name == *name) else {
            let _ = writeln!(text, "{name} · only in B");
            continue;
        };
        for side in scenario.sides.keys() {
            let _ = writeln!(text, "{}", line(name, side, before, scenario, b.seed));
        }
    }
    for scenario in &a.scenarios {
        let name = &scenario.scenario.name;
        if !b.scenarios.iter().any(|after| after.scenario.name == *name) {
            let _ = writeln!(text, "{name} · only in A");
        }
    }
    text
}

fn line(name: &str, side: &str, a: &ScenarioReport, b: &ScenarioReport, seed: u64) -> String {
    let (before, after) = (samples(a, side), samples(b, side));
    let seed = stats::seed_of(seed, &["compare", name, side]);
    let medians = stats::median(&before).zip(stats::median(&after));
    let Some(((from, to), ratio)) = medians.zip(stats::median_ratio(&after, &before, seed)) else {
        return format!("{name} · {side} · not run in both");
    };
    let verdict = match (ratio.low, ratio.high) {
        (low, _) if low > 1.0 => "slower",
        (_, high) if high < 1.0 => "faster",
        _ => "no difference shown",
    };
    format!("{name} · {side} · {} · {} · {} · {verdict}", time(from), time(to), interval(&ratio))
}

/// A side's measured runs in its first pair.
fn samples(scenario: &ScenarioReport, side: &str) -> Vec<f64> {
    scenario
        .pairs
        .iter()
        .map(|pair| pair.measured(side))
        .find(|samples| !samples.is_empty())
        .unwrap_or_default()
}

fn machine_differences(a: &Report, b: &Report) -> Vec<String> {
    let (ma, mb) = (&a.machine, &b.machine);
    let mut pairs = vec![
        ("processor", ma.cpu.clone(), mb.cpu.clone()),
        ("cores", ma.cores.to_string(), mb.cores.to_string()),
        ("kernel", ma.kernel.clone(), mb.kernel.clone()),
        ("file system", ma.file_system.clone(), mb.file_system.clone()),
        ("quick run", a.quick.to_string(), b.quick.to_string()),
    ];
    for name in ma.versions.keys().chain(mb.versions.keys().filter(|name| !ma.versions.contains_key(*name))) {
        let version =
            |of: &Report| of.machine.versions.get(name).cloned().unwrap_or_else(|| "absent".to_owned());
        pairs.push((name, version(a), version(b)));
    }
    let differing = pairs.into_iter().filter(|(_, a, b)| a != b);
    differing.map(|(what, a, b)| format!("{what} differs: A {a}, B {b}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn a_slower_side_is_found_and_an_equal_one_is_not() {
        let (a, mut b) = (report(), report());
        for sample in &mut b.scenarios[0].pairs[0].samples {
            if sample.side == "frogfish" {
                sample.nanos *= 2;
            }
        }
        let text = table(&a, &b);
        let line = |side: &str| text.lines().find(|line| line.contains(&format!("· {side} ·"))).unwrap();
        assert!(
            line("frogfish").ends_with("slower") && line("frogfish").contains("2.00 [2.00 – 2.00]"),
            "{text}"
        );
        assert!(line("other").ends_with("no difference shown"), "{text}");
        assert!(line("bacalhau").ends_with("not run in both"), "{text}");
        assert!(table(&b, &a).contains("faster"));
    }

    #[test]
    fn another_machine_and_missing_scenarios_are_named() {
        let (a, mut b) = (report(), report());
        b.machine.kernel = "Linux 7".to_owned();
        b.scenarios[0].scenario.name = "new".to_owned();
        let text = table(&a, &b);
        for part in ["kernel differs: A Linux 6, B Linux 7", "new · only in B", "noop · only in A"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
