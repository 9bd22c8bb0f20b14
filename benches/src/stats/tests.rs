use super::*;

#[test]
fn median_and_percentiles_have_known_values() {
    let summary = summary(&[4.0, 1.0, 3.0, 2.0]).unwrap();
    assert_eq!((summary.min, summary.p50, summary.max, summary.mean), (1.0, 2.5, 4.0, 2.5));
    assert_eq!((summary.p25, summary.p75), (1.75, 3.25));
    let hundred: Vec<f64> = (0..=100).map(f64::from).collect();
    assert_eq!(super::summary(&hundred).map(|summary| summary.p99), Some(99.0));
    assert_eq!(median(&[7.0]), Some(7.0));
    assert_eq!(median(&[]), None);
}

#[test]
fn ratio_of_constant_samples_has_no_width() {
    let ratio = median_ratio(&[6.0; 9], &[2.0; 8], 1).unwrap();
    assert_eq!(ratio, Ratio { value: 3.0, low: 3.0, high: 3.0 });
    assert_eq!(median_ratio(&[1.0], &[0.0], 1), None);
    assert_eq!(median_ratio(&[], &[1.0], 1), None);
}

#[test]
fn same_seed_gives_the_same_interval_and_another_seed_does_not() {
    let mut random = SplitMix64(3);
    let a: Vec<f64> = (0..40).map(|_| 1.0 + uniform(&mut random)).collect();
    let b: Vec<f64> = (0..41).map(|_| 1.0 + uniform(&mut random)).collect();
    assert_eq!(median_ratio(&a, &b, 7), median_ratio(&a, &b, 7));
    assert_ne!(median_ratio(&a, &b, 7), median_ratio(&a, &b, 8));
}

#[test]
fn resampled_medians_of_even_counts_average_the_middle_two() {
    let mut scratch = Vec::new();
    let seen: Vec<f64> =
        (0..200).map(|seed| resampled_median(&[1.0, 2.0], &mut scratch, &mut SplitMix64(seed))).collect();
    assert!(seen.contains(&1.5) && seen.contains(&1.0) && seen.contains(&2.0));
}

#[test]
fn bootstrap_interval_covers_the_true_ratio_about_as_often_as_it_says() {
    let mut random = SplitMix64(11);
    let trials = 200;
    let covered = (0..trials)
        .filter(|trial| {
            // Right-skewed like real latencies; the true ratio of the medians is 1.5.
            let a: Vec<f64> = (0..60).map(|_| 1.5 * skewed(&mut random)).collect();
            let b: Vec<f64> = (0..60).map(|_| skewed(&mut random)).collect();
            let ratio = median_ratio(&a, &b, *trial).unwrap();
            ratio.low <= 1.5 && 1.5 <= ratio.high
        })
        .count();
    // 95 % asked; with 200 trials anything from 90 % to all is what chance allows.
    assert!((180..=200).contains(&covered), "covered {covered} of {trials}");
}

#[test]
fn figures_of_different_names_have_different_seeds() {
    assert_ne!(seed_of(1, &["ab", "c"]), seed_of(1, &["a", "bc"]));
    assert_eq!(seed_of(1, &["a"]), seed_of(1, &["a"]));
}

#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn uniform(random: &mut SplitMix64) -> f64 {
    (random.next() >> 11) as f64 / (1_u64 << 53) as f64
}

fn skewed(random: &mut SplitMix64) -> f64 {
    1.0 - 0.4 * (1.0 - uniform(random)).ln()
}
