use super::*;
use proptest::prelude::*;

#[test]
fn patterns_match_whole_paths_part_by_part() {
    for (pattern, path, expected) in [
        ("/data", "/data", true),
        ("/data", "/data2", false),
        ("/data/*", "/data/a", true),
        ("/data/*", "/data", false),
        ("/data/*", "/data/a/b", false),
        ("/data/**", "/data", true),
        ("/data/**", "/data/a/b", true),
        ("/data/**", "/database", false),
        ("/**/b", "/b", true),
        ("/**/b", "/a/a/b", true),
        ("/**/b/**/c", "/a/b/x/b/y/c", true),
        ("/**/b/**/c", "/a/c/b", false),
        ("**", "/any/where", true),
        ("*", "/any", false),
        ("/d*a/?.t[xy]t", "/data/a.txt", true),
        ("/d*a/?.t[!xy]t", "/data/a.txt", false),
        ("/d*a/[^a-c].txt", "/data/d.txt", true),
        ("/a[]]", "/a]", true),
        ("/a[a-]", "/a-", true),
        ("/a[", "/a[", false),
        ("/a\\*", "/a*", true),
        ("/a\\*", "/ab", false),
        ("/a\\", "/a\\", false),
        ("TEST_*", "TEST_A", true),
        ("TEST_*", "MY_TEST_1", false),
        ("a**b", "axxb", true),
        ("a**b", "a/b", false),
    ] {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn the_literal_prefix_ends_before_the_first_wildcard() {
    for (pattern, prefix) in [("/a/b", "/a/b"), ("/a/b*/c", "/a"), ("/a/**", "/a"), ("*", ""), ("/*", "")] {
        assert_eq!(literal_prefix(pattern), prefix, "{pattern}");
    }
}

#[test]
fn many_wildcards_take_no_exponential_time() {
    assert!(!matches(&"*a".repeat(500), &"a".repeat(5_000).replace("aaaaa", "aaaab")));
    assert!(!matches(&"**/a/".repeat(200), &"a/b/".repeat(1_000)));
}

proptest! {
    #[test]
    fn any_pattern_and_path_end_without_a_panic(pattern in "\\PC{0,30}", path in "\\PC{0,30}") {
        let _ = (matches(&pattern, &path), literal_prefix(&pattern));
    }

    #[test]
    fn an_escaped_path_matches_itself_alone(path in "[a-c/*?\\[\\]\\\\]{1,12}", other in "[a-c/*]{1,12}") {
        let escaped: String =
            path.chars().flat_map(|c| if c == '/' { vec![c] } else { vec!['\\', c] }).collect();
        prop_assert!(matches(&escaped, &path));
        prop_assert_eq!(matches(&escaped, &other), path == other);
    }
}
