//! Plots as SVG text: each run as a dot, quartiles as a box, on a logarithmic axis of time.

use std::fmt::Write;

use super::html::escape;
use super::time;
use crate::sample::count;
use crate::stats::{SplitMix64, summary};

const WIDTH: f64 = 860.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 20.0;
const ROW: f64 = 54.0;
const AXIS: f64 = 30.0;
/// Most dots of one row; beyond it they are thinned evenly, the box is of all.
const DOTS_MAX: usize = 400;

/// One row of a plot.
pub(crate) struct Row<'a> {
    pub(crate) label: String,
    /// Milliseconds, in the order of the runs.
    pub(crate) samples: &'a [f64],
    pub(crate) subject: bool,
}

/// Dots and box per side, time to the right.
pub(crate) fn strips(title: &str, rows: &[Row<'_>]) -> String {
    let Some(axis) = Axis::over(rows) else { return String::new() };
    let height = AXIS + ROW * count(rows.len());
    let mut svg = open(title, height);
    axis.draw(&mut svg, height);
    for (index, row) in rows.iter().enumerate() {
        let middle = ROW * (count(index) + 0.5);
        label(&mut svg, &row.label, middle);
        let class = if row.subject { "subject" } else { "peer" };
        // The scatter across the row carries no meaning and is the same for the same report.
        let mut random = SplitMix64(index as u64);
        for sample in thinned(row.samples) {
            #[expect(clippy::cast_precision_loss, reason = "a byte")]
            let scatter = ((random.next() & 0xff) as f64 / 255.0 - 0.5) * ROW * 0.5;
            let (x, y) = (axis.x(sample), middle + scatter);
            let _ = write!(svg, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="2"/>"#);
        }
        if let Some(s) = summary(row.samples) {
            let (low, mid, high, far) = (axis.x(s.p25), axis.x(s.p50), axis.x(s.p75), axis.x(s.p99));
            let (top, bottom, box_height) = (middle - ROW * 0.3, middle + ROW * 0.3, ROW * 0.6);
            let width = (high - low).max(1.0);
            let _ = write!(
                svg,
                r#"<rect class="box" x="{low:.1}" y="{top:.1}" width="{width:.1}" height="{box_height:.1}"/><line class="median" x1="{mid:.1}" y1="{top:.1}" x2="{mid:.1}" y2="{bottom:.1}"/><line class="whisker" x1="{high:.1}" y1="{middle:.1}" x2="{far:.1}" y2="{middle:.1}"/>"#
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Each run in its order, time upwards: shows drift and outliers.
pub(crate) fn sequence(title: &str, rows: &[Row<'_>]) -> String {
    const HEIGHT: f64 = 150.0;
    let Some(axis) = Axis::over(rows) else { return String::new() };
    let longest = count(rows.iter().map(|row| row.samples.len()).max().unwrap_or(1)).max(2.0);
    let mut svg = open(title, HEIGHT);
    for tick in axis.ticks() {
        let y = axis.share(tick).mul_add(-(HEIGHT - 20.0), HEIGHT - 10.0);
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{LEFT}" y1="{y:.1}" x2="{:.1}" y2="{y:.1}"/>"#,
            WIDTH - RIGHT
        );
        let _ = write!(
            svg,
            r#"<text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            LEFT - 8.0,
            y + 4.0,
            tick_text(tick)
        );
    }
    for row in rows {
        let class = if row.subject { "subject" } else { "peer" };
        for (index, sample) in
            row.samples.iter().enumerate().step_by(row.samples.len().div_ceil(DOTS_MAX).max(1))
        {
            let x = LEFT + (WIDTH - LEFT - RIGHT) * count(index) / (longest - 1.0);
            let y = axis.share(*sample).mul_add(-(HEIGHT - 20.0), HEIGHT - 10.0);
            let _ = write!(svg, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="1.6"/>"#);
        }
    }
    svg.push_str("</svg>");
    svg
}

fn open(title: &str, height: f64) -> String {
    let title = escape(title);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {height}"><title>{title}</title>"#
    )
}

fn label(svg: &mut String, text: &str, middle: f64) {
    let short: String = if text.chars().count() > 26 {
        text.chars().take(25).chain(['…']).collect()
    } else {
        text.to_owned()
    };
    let _ = write!(
        svg,
        r#"<text class="label" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
        LEFT - 10.0,
        middle + 4.0,
        escape(&short)
    );
}

fn thinned(samples: &[f64]) -> impl Iterator<Item = f64> + '_ {
    samples.iter().copied().step_by(samples.len().div_ceil(DOTS_MAX).max(1))
}

/// A round time without the zeros behind its point.
fn tick_text(milliseconds: f64) -> String {
    let text = time(milliseconds);
    let Some((value, unit)) = text.split_once(' ') else { return text };
    let value = if value.contains('.') { value.trim_end_matches('0').trim_end_matches('.') } else { value };
    format!("{value} {unit}")
}

/// A logarithmic axis over all rows.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn over(rows: &[Row<'_>]) -> Option<Self> {
        let all =
            || rows.iter().flat_map(|row| row.samples).copied().filter(|ms| ms.is_finite() && *ms > 0.0);
        let (low, high) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
        let pad = 1.15;
        Some(Self { low: (low / pad).log10(), high: (high * pad).log10() })
    }

    /// Position of a time between 0 and 1.
    fn share(&self, milliseconds: f64) -> f64 {
        if milliseconds <= 0.0 {
            return 0.0;
        }
        ((milliseconds.log10() - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    fn x(&self, milliseconds: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * self.share(milliseconds)
    }

    /// 1, 2 and 5 of each decade inside the axis; only the ones where that would be crowded.
    fn ticks(&self) -> Vec<f64> {
        let steps: &[f64] = if self.high - self.low > 2.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        #[expect(clippy::cast_possible_truncation, reason = "decades of a time are few")]
        let decades = self.low.floor() as i32..=self.high.ceil() as i32;
        let all = decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
        all.filter(|tick| (self.low..=self.high).contains(&tick.log10())).collect()
    }

    fn draw(&self, svg: &mut String, height: f64) {
        for tick in self.ticks() {
            let x = self.x(tick);
            let bottom = height - AXIS;
            let _ = write!(svg, r#"<line class="grid" x1="{x:.1}" y1="0" x2="{x:.1}" y2="{bottom:.1}"/>"#);
            let _ = write!(
                svg,
                r#"<text class="tick" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                height - 10.0,
                tick_text(tick)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_dots_and_one_box() {
        let rows = [
            Row { label: "a".into(), samples: &[1.0, 2.0, 3.0], subject: true },
            Row { label: "<b>".into(), samples: &[10.0; 4], subject: false },
        ];
        let svg = strips("t & u", &rows);
        assert_eq!(svg.matches("<circle").count(), 7);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains("&lt;b&gt;") && svg.contains("t &amp; u"));
        assert_eq!(svg, strips("t & u", &rows));
    }

    #[test]
    fn ticks_have_no_zeros_behind_the_point() {
        assert_eq!([0.1, 0.002, 1.0, 20.0, 5e3].map(tick_text), ["100 µs", "2 µs", "1 ms", "20 ms", "5 s"]);
    }

    #[test]
    fn no_samples_give_no_plot_and_many_are_thinned() {
        assert_eq!(strips("t", &[Row { label: "a".into(), samples: &[], subject: true }]), "");
        let many = vec![1.0; 10 * DOTS_MAX];
        let rows = [Row { label: "a".into(), samples: &many, subject: true }];
        assert_eq!(strips("t", &rows).matches("<circle").count(), DOTS_MAX);
        assert_eq!(sequence("t", &rows).matches("<circle").count(), DOTS_MAX);
    }
}
