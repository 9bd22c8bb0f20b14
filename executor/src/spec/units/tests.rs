use std::time::Duration;

use proptest::prelude::*;

use super::{ByteSize, GoDuration, MilliCpu};

fn bytes(text: &str) -> Option<u64> {
    text.parse::<ByteSize>().ok().map(ByteSize::bytes)
}

fn millis(text: &str) -> Option<u64> {
    text.parse::<MilliCpu>().ok().map(MilliCpu::millis)
}

fn nanos(text: &str) -> Option<i64> {
    text.parse::<GoDuration>().ok().map(GoDuration::nanos)
}

#[test]
fn r_01_sizes_are_read_with_decimal_and_binary_units_in_any_case() {
    let cases = [
        ("42", 42),
        ("42MB", 42_000_000),
        ("42MiB", 44_040_192),
        ("42mb", 42_000_000),
        ("42mib", 44_040_192),
    ];
    for (text, expected) in cases {
        assert_eq!(bytes(text), Some(expected), "{text}");
    }
}

#[test]
fn sizes_are_read_as_go_humanize_reads_them() {
    let cases = [
        ("1g", 1_000_000_000),
        ("1Gi", 1 << 30),
        ("1.5 GiB", 3 << 29),
        ("1,000 kb", 1_000_000),
        ("512Mb", 512_000_000),
        ("0.5", 0),
        ("0", 0),
        ("18446744073709551615", u64::MAX),
        ("1.kb", 1_000),
        (".5kb", 500),
    ];
    for (text, expected) in cases {
        assert_eq!(bytes(text), Some(expected), "{text}");
    }
    for text in [
        "",
        "mb",
        "-1",
        "1xb",
        "1 2 x",
        "1e3",
        "1.2.3mb",
        ",",
        ".",
        "17eib",
        "18446744073709551616",
        "1mbb",
        "NaN",
    ] {
        assert_eq!(bytes(text), None, "{text}");
    }
}

#[test]
fn cpu_is_read_in_cores_and_thousandths_and_rounded_up() {
    for (text, expected) in
        [("500m", 500), ("0.5", 500), ("2", 2000), (".25", 250), ("1.", 1000), ("0.0005", 1), ("1.5m", 2)]
    {
        assert_eq!(millis(text), Some(expected), "{text}");
    }
}

#[test]
fn r_03_negative_and_non_numeric_cpu_is_refused() {
    for text in ["-1", "x", "", "m", ".", "1.2.3", "+1", "1e3", "0x1", "99999999999999999999"] {
        assert_eq!(millis(text), None, "{text}");
    }
}

#[test]
fn durations_are_read_as_go_reads_them_and_as_seconds() {
    let cases = [
        ("1h2m3s", 3_723_000_000_000),
        ("1.5s", 1_500_000_000),
        ("250ms", 250_000_000),
        ("90", 90_000_000_000),
        ("0", 0),
        ("-1.5h", -5_400_000_000_000),
        ("1us1µs1μs", 3_000),
        ("+3ns", 3),
        (".5m", 30_000_000_000),
        ("1.0000000005s", 1_000_000_000),
    ];
    for (text, expected) in cases {
        assert_eq!(nanos(text), Some(expected), "{text}");
    }
    for text in ["", "-", "s", "1", "1x", "1h 2m", ".s", "9223372037s", "--1s", "1.5"] {
        if text != "1" {
            assert_eq!(nanos(text), None, "{text}");
        }
    }
}

#[test]
fn durations_print_as_go_prints_them() {
    let cases = [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1µs"),
        (2_200_000, "2.2ms"),
        (3_300_000_000, "3.3s"),
        (245_000_000_000, "4m5s"),
        (245_001_000_000, "4m5.001s"),
        (18_367_001_000_000, "5h6m7.001s"),
        (3_600_000_000_000, "1h0m0s"),
        (i64::MAX, "2562047h47m16.854775807s"),
        (i64::MIN, "-2562047h47m16.854775808s"),
    ];
    for (nanos, text) in cases {
        assert_eq!(GoDuration::from_nanos(nanos).to_string(), text);
    }
}

#[test]
fn a_negative_duration_is_none_of_the_standard_library() {
    assert_eq!(GoDuration::from_nanos(-1).to_std(), None);
    assert_eq!(GoDuration::from_std(Duration::MAX).nanos(), i64::MAX);
    assert_eq!(GoDuration::from_secs(i64::MAX), None);
}

#[test]
fn sizes_print_in_the_largest_unit_that_divides_them() {
    for (bytes, text) in
        [(0, "0"), (512_000_000, "512mb"), (1 << 30, "1gib"), (1_000, "1kb"), (1_023, "1023")]
    {
        assert_eq!(ByteSize::from_bytes(bytes).to_string(), text);
    }
}

proptest! {
    #[test]
    fn sizes_round_trip(value: u64) {
        prop_assert_eq!(bytes(&ByteSize::from_bytes(value).to_string()), Some(value));
    }

    #[test]
    fn round_sizes_round_trip(value in 0_u64..1 << 20, shift in 0_u32..40) {
        prop_assert_eq!(bytes(&ByteSize::from_bytes(value << shift).to_string()), Some(value << shift));
    }

    #[test]
    fn cpu_shares_round_trip(value: u64) {
        prop_assert_eq!(millis(&MilliCpu::from_millis(value).to_string()), Some(value));
    }

    #[test]
    fn durations_round_trip(value: i64) {
        prop_assert_eq!(nanos(&GoDuration::from_nanos(value).to_string()), Some(value));
    }

    #[test]
    fn any_text_is_a_unit_or_an_error(text in ".{0,40}") {
        let _ = (bytes(&text), millis(&text), nanos(&text));
    }
}
