//! A report as one HTML file without scripts or outside references.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::svg::{self, Row};
use super::{PairReport, Report, ScenarioReport, digits, interval, runs, time};

const STYLE: &str = "
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#57606a;--line:#d0d7de;--subject:#1a7f5a;--peer:#bc6c00;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#9198a1;--line:#30363d;--subject:#3fb68b;--peer:#e0a458;--bad:#ff7b72}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem;border-top:1px solid var(--line);padding-top:1rem}h3{font-size:1rem}
table{border-collapse:collapse;margin:.6rem 0;display:block;overflow-x:auto}td,th{padding:.2rem .7rem .2rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.soft{color:var(--soft)}.missed,.mark{color:var(--bad);font-weight:600}.met{color:var(--subject)}
svg{width:100%;height:auto;margin:.4rem 0}circle.subject{fill:var(--subject);opacity:.45}circle.peer{fill:var(--peer);opacity:.45}
.box{fill:none;stroke:var(--fg);stroke-width:1.2}.median{stroke:var(--fg);stroke-width:2.4}.whisker{stroke:var(--fg);stroke-width:1}.grid{stroke:var(--line);stroke-width:.7}
svg text{fill:var(--fg);font-size:12px}svg text.tick{fill:var(--soft);font-size:11px}";

/// Gives the page; the same report gives the same bytes.
pub(crate) fn page(report: &Report) -> String {
    let mut html = String::new();
    let title = escape(&report.title());
    let _ = write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width\"/><title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
    );
    machine(&mut html, report);
    ratios(&mut html, report);
    slower(&mut html, report);
    budgets(&mut html, report);
    for scenario in &report.scenarios {
        section(&mut html, scenario, report);
    }
    html.push_str("</body></html>\n");
    html
}

/// Makes any text safe between tags and inside quoted attributes, and valid in XML.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(' '),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

fn machine(html: &mut String, report: &Report) {
    let machine = &report.machine;
    let fsync = match (machine.fsync_us_p50, machine.fsync_us_max) {
        (Some(p50), Some(max)) => format!("p50 {} µs, max {} µs", digits(p50), digits(max)),
        _ => "could not be probed".to_owned(),
    };
    let mut rows = vec![
        ("when", format!("{} to {}", report.started, report.finished)),
        ("processor", format!("{}, {} cores", machine.cpu, machine.cores)),
        ("memory", format!("{} MiB", machine.memory_mib)),
        ("kernel", machine.kernel.clone()),
        ("work folder", format!("{} ({})", machine.work_folder.display(), machine.file_system)),
        ("4 KiB write and fsync there", fsync),
        ("load before, after", format!("{}; {}", machine.load_before, machine.load_after)),
    ];
    rows.extend(machine.versions.iter().map(|(name, version)| (name.as_str(), version.clone())));
    html.push_str("<h2>Machine</h2><table>");
    for (name, value) in rows {
        row(html, &[(name, false), (&value, false)]);
    }
    html.push_str("</table>");
}

fn ratios(html: &mut String, report: &Report) {
    html.push_str("<h2>Ratios</h2><p class=\"soft\">Median of the subject over median of the peer, from runs that alternated; below 1 the subject is faster. In brackets the 95 % bootstrap interval.</p><table>");
    head(html, &["scenario", "subject", "peer", "#subject p50", "#peer p50", "#ratio", "mark"]);
    for scenario in &report.scenarios {
        let name = &scenario.scenario.name;
        let mark = drift_mark(scenario, report.drift_percent_max);
        for pair in &scenario.pairs {
            ratio_row(html, name, pair, report.seed, &mark);
        }
        for (side, about) in &scenario.sides {
            if let Some(reason) = &about.not_run {
                row(html, &[(name, false), (side, false), (&format!("not run: {reason}"), false)]);
            }
        }
    }
    html.push_str("</table>");
}

fn ratio_row(html: &mut String, scenario: &str, pair: &PairReport, seed: u64, mark: &str) {
    let p50 = |side: usize| {
        let summary = pair.sides.get(side).and_then(|side| pair.summary(side));
        summary.map_or_else(|| "–".to_owned(), |summary| time(summary.p50))
    };
    let ratio = pair.ratio(scenario, seed).map_or_else(|| "–".to_owned(), |ratio| interval(&ratio));
    let name = |side: usize| pair.sides.get(side).map_or("no peer", String::as_str);
    let stopped = pair.stopped.as_ref().map(|why| format!("stopped: {why} ")).unwrap_or_default();
    row(
        html,
        &[
            (scenario, false),
            (name(0), false),
            (name(1), false),
            (&p50(0), true),
            (&p50(1), true),
            (&ratio, true),
            (&format!("{stopped}{mark}"), false),
        ],
    );
}

fn drift_mark(scenario: &ScenarioReport, limit: f64) -> String {
    let drifted = scenario.drifted(limit);
    drifted.map_or_else(String::new, |(side, percent)| {
        format!("drift: {side} moved by {percent:+.0} % between its first runs and their repetition (limit {limit} %)")
    })
}

fn slower(html: &mut String, report: &Report) {
    html.push_str("<h2>Where Frogfish is slower</h2>");
    let mut found = String::new();
    for scenario in &report.scenarios {
        for pair in &scenario.pairs {
            let Some(ratio) = pair.ratio(&scenario.scenario.name, report.seed) else { continue };
            if ratio.value <= 1.0 {
                continue;
            }
            let sure = if ratio.low > 1.0 { "" } else { " (the interval includes 1: not certain)" };
            let _ = write!(
                found,
                "<li>{}: {} takes {} × as long as {}{sure}</li>",
                escape(&scenario.scenario.name),
                escape(&pair.sides[0]),
                escape(&interval(&ratio)),
                escape(&pair.sides[1])
            );
        }
    }
    if found.is_empty() {
        html.push_str("<p>In no scenario of this report.</p>");
    } else {
        let _ = write!(html, "<ul>{found}</ul>");
    }
}

fn budgets(html: &mut String, report: &Report) {
    if report.scenarios.iter().all(|scenario| scenario.verdicts.is_empty()) {
        return;
    }
    html.push_str("<h2>Budgets</h2><table>");
    head(html, &["scenario", "promise", "#found", "verdict"]);
    for scenario in &report.scenarios {
        for verdict in &scenario.verdicts {
            let found = verdict.found.map_or_else(|| "–".to_owned(), digits);
            let class = if verdict.met == Some(true) { "met" } else { "missed" };
            let _ = write!(
                html,
                "<tr><td>{}</td><td>{}</td><td class=\"n\">{found}</td><td class=\"{class}\">{}</td></tr>",
                escape(&scenario.scenario.name),
                escape(&verdict.promise()),
                verdict.word()
            );
        }
    }
    html.push_str("</table>");
}

fn section(html: &mut String, scenario: &ScenarioReport, report: &Report) {
    let about = &scenario.scenario;
    let _ = write!(html, "<h2 id=\"{0}\">{0}</h2><p>{1}</p>", escape(&about.name), escape(&about.title));
    if !about.about.is_empty() {
        let _ = write!(html, "<p class=\"soft\">{}</p>", escape(&about.about));
    }
    let mark = drift_mark(scenario, report.drift_percent_max);
    if !mark.is_empty() {
        let _ = write!(html, "<p class=\"mark\">{}</p>", escape(&mark));
    }
    for pair in &scenario.pairs {
        plots(html, scenario, pair);
        distribution(html, scenario, pair);
    }
    gauges(html, scenario);
    settings(html, scenario);
}

fn plots(html: &mut String, scenario: &ScenarioReport, pair: &PairReport) {
    let samples: Vec<Vec<f64>> = pair.sides.iter().map(|side| pair.measured(side)).collect();
    let rows: Vec<Row<'_>> = std::iter::zip(&pair.sides, &samples)
        .map(|(side, samples)| Row {
            label: side.clone(),
            samples,
            subject: *side == scenario.scenario.subject,
        })
        .collect();
    let name = &scenario.scenario.name;
    html.push_str(&svg::strips(&format!("{name}: time of each run, {}", pair.sides.join(" and ")), &rows));
    html.push_str(&svg::sequence(&format!("{name}: runs in their order"), &rows));
}

fn distribution(html: &mut String, scenario: &ScenarioReport, pair: &PairReport) {
    html.push_str("<table>");
    head(html, &["side", "#n", "#min", "#p25", "#p50", "#p75", "#p99", "#max", "#jobs/s", "#drift"]);
    for side in &pair.sides {
        let Some(s) = pair.summary(side) else { continue };
        let per_second = digits(f64::from(scenario.scenario.jobs) / s.p50 * 1e3);
        let drift = pair.drift_percent(side).map_or_else(|| "–".to_owned(), |drift| format!("{drift:+.1} %"));
        let times = [s.min, s.p25, s.p50, s.p75, s.p99, s.max].map(time);
        let mut cells = vec![(side.clone(), false), (runs(s.n), true)];
        cells.extend(times.into_iter().map(|time| (time, true)));
        cells.extend([(per_second, true), (drift, true)]);
        let cells: Vec<(&str, bool)> = cells.iter().map(|(text, number)| (text.as_str(), *number)).collect();
        row(html, &cells);
    }
    html.push_str("</table>");
}

fn gauges(html: &mut String, scenario: &ScenarioReport) {
    let names: BTreeSet<&str> =
        scenario.sides.values().flat_map(|side| side.gauges.keys().map(String::as_str)).collect();
    if names.is_empty() {
        return;
    }
    html.push_str("<h3>Process after its last run</h3><table>");
    let titles: Vec<String> =
        std::iter::once("side".to_owned()).chain(names.iter().map(|name| format!("#{name}"))).collect();
    head(html, &titles.iter().map(String::as_str).collect::<Vec<_>>());
    for (side, report) in scenario.sides.iter().filter(|(_, side)| !side.gauges.is_empty()) {
        let values =
            names.iter().map(|name| report.gauges.get(*name).map_or("–".to_owned(), |v| format!("{v:.0}")));
        let values: Vec<String> = values.collect();
        let cells: Vec<(&str, bool)> = std::iter::once((side.as_str(), false))
            .chain(values.iter().map(|v| (v.as_str(), true)))
            .collect();
        row(html, &cells);
    }
    html.push_str("</table>");
}

/// Only settings that are not the same on every side, plus versions.
fn settings(html: &mut String, scenario: &ScenarioReport) {
    let sides: Vec<_> = scenario.sides.iter().filter(|(_, side)| side.not_run.is_none()).collect();
    let mut rows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    rows.insert("version", sides.iter().map(|(_, side)| side.about.version.as_str()).collect());
    for key in sides.iter().flat_map(|(_, side)| side.about.settings.keys()) {
        let values: Vec<&str> = sides
            .iter()
            .map(|(_, side)| side.about.settings.get(key).map_or("not said", String::as_str))
            .collect();
        if values.iter().any(|value| value != &values[0]) {
            rows.insert(key, values);
        }
    }
    html.push_str("<h3>Settings that differ</h3><table>");
    let titles: Vec<&str> =
        std::iter::once("setting").chain(sides.iter().map(|(name, _)| name.as_str())).collect();
    head(html, &titles);
    for (key, values) in rows {
        let cells: Vec<(&str, bool)> =
            std::iter::once((key, false)).chain(values.into_iter().map(|value| (value, false))).collect();
        row(html, &cells);
    }
    html.push_str("</table>");
}

/// A table's head; a title that begins with `#` is over numbers.
fn head(html: &mut String, titles: &[&str]) {
    html.push_str("<tr>");
    for title in titles {
        match title.strip_prefix('#') {
            Some(title) => {
                let _ = write!(html, "<th class=\"n\">{}</th>", escape(title));
            }
            None => {
                let _ = write!(html, "<th>{}</th>", escape(title));
            }
        }
    }
    html.push_str("</tr>");
}

fn row(html: &mut String, cells: &[(&str, bool)]) {
    html.push_str("<tr>");
    for (text, number) in cells {
        let class = if *number { " class=\"n\"" } else { "" };
        let _ = write!(html, "<td{class}>{}</td>", escape(text));
    }
    html.push_str("</tr>");
}

#[cfg(test)]
mod tests {
    use super::super::tests::{report, report_without_peer};
    use super::*;

    /// Walks the tags and fails at the first that does not close what was opened last.
    fn assert_well_formed(html: &str) {
        let mut open: Vec<&str> = Vec::new();
        let body = html.strip_prefix("<!DOCTYPE html>").expect("a doctype");
        for piece in body.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').expect("a tag that ends");
            assert!(!text.contains('>'), "stray > after <{tag}>");
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name), "</{name}> closes the wrong tag");
            } else if !tag.ends_with('/') {
                assert_eq!(tag.matches('"').count() % 2, 0, "quotes of <{tag}>");
                open.push(name);
            }
            for (at, _) in text.match_indices('&') {
                assert!(text[at..].find(';').is_some_and(|end| end <= 6), "bare & in {text}");
            }
        }
        assert!(open.is_empty(), "left open: {open:?}");
    }

    #[test]
    fn a_page_is_well_formed_and_repeatable() {
        let report = report();
        let html = page(&report);
        assert_well_formed(&html);
        assert_eq!(html, page(&report));
        for part in
            ["Where Frogfish is slower", "Settings that differ", "<svg", "drift: frogfish", "not run: no Go"]
        {
            assert!(html.contains(part), "{part}");
        }
    }

    #[test]
    fn hostile_names_do_not_escape_their_place() {
        let mut report = report();
        let hostile = "</title><script>alert('1')</script>\"&\u{1}";
        report.scenarios[0].scenario.name = hostile.to_owned();
        report.scenarios[0].scenario.title = hostile.to_owned();
        for sample in &mut report.scenarios[0].pairs[0].samples {
            if sample.side == "other" {
                sample.side = hostile.to_owned();
            }
        }
        report.scenarios[0].pairs[0].sides[1] = hostile.to_owned();
        let side = report.scenarios[0].sides["other"].clone();
        report.scenarios[0].sides.insert(hostile.to_owned(), side);
        report.machine.cpu = hostile.to_owned();
        let html = page(&report);
        assert_well_formed(&html);
        assert!(!html.contains("<script") && !html.contains('\u{1}'));
        assert!(html.contains("&lt;script&gt;"));
    }

    #[test]
    fn a_report_without_a_peer_says_so_in_its_title() {
        let html = page(&report_without_peer());
        assert!(html.contains("<title>Frogfish measurements: no peer ran, nothing is compared</title>"));
        assert!(!page(&report()).contains("no peer ran"));
    }

    #[test]
    fn equal_settings_are_left_out_of_the_table() {
        let html = page(&report());
        assert!(html.contains("<td>process</td>") && !html.contains("<td>memory limit</td>"));
    }
}
