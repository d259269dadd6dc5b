//! Parameters: what is taken, what is refused, and that equal meanings are equal.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use spangraph::topology::Query;
use spangraph::topology::times::{At, at, duration, rfc3339};

fn refused(raw: &str) -> Vec<(String, String, String)> {
    let errors = Query::parse(raw).expect_err(raw);
    errors
        .into_iter()
        .map(|e| (e.name, e.value, e.reason))
        .collect()
}

#[test]
fn a_refusal_names_parameter_value_and_reason() {
    let hops = "must be a whole number from 0 to 10";
    let length = "must be a length such as `90s`, `5m` or `1h30m`";
    let instant = "must be RFC 3339, unix seconds, or an age such as `-10m`";
    let top = "must be a whole number from 1 to 100000";
    let quantile = "must be a decimal fraction in (0,1), such as 0.95";
    let table = [
        ("windwo=5m", "windwo", "5m", "unknown parameter"),
        ("=x", "", "x", "unknown parameter"),
        ("window=5", "window", "5", length),
        ("window=", "window", "", length),
        ("window=0s", "window", "0s", length),
        ("window=1m2h", "window", "1m2h", length),
        (
            "window=99999999999999999999s",
            "window",
            "99999999999999999999s",
            length,
        ),
        (
            "window=5m&window=6m",
            "window",
            "6m",
            "given more than once",
        ),
        ("at=yesterday", "at", "yesterday", instant),
        ("at=-10", "at", "-10", instant),
        ("at=999999999999999", "at", "999999999999999", instant),
        ("namespace=", "namespace", "", "must not be empty"),
        ("focus=", "focus", "", "must be a node id"),
        ("up=1", "up", "1", "needs `focus`"),
        ("focus=a&up=11", "up", "11", hops),
        ("focus=a&down=+1", "down", " 1", hops),
        ("min_calls=-1", "min_calls", "-1", "must be a whole number"),
        (
            "min_rate_per_s=nan",
            "min_rate_per_s",
            "nan",
            "must be a number of at least 0",
        ),
        (
            "min_rate_per_s=-1",
            "min_rate_per_s",
            "-1",
            "must be a number of at least 0",
        ),
        ("top=0", "top", "0", top),
        ("top=100001", "top", "100001", top),
        ("health=bad", "health", "bad", "must be `all` or `problems`"),
        (
            "group_by=version",
            "group_by",
            "version",
            "must be `service` or `namespace`",
        ),
        (
            "include=all",
            "include",
            "all",
            "must be `histograms`, `exemplars`, `layout` or `idle`",
        ),
        ("quantiles=0.5,1", "quantiles", "1", quantile),
        ("service=%zz", "service", "%zz", "not percent-encoded UTF-8"),
        ("service=%ff", "service", "%ff", "not percent-encoded UTF-8"),
    ];
    for (raw, name, value, reason) in table {
        let expected = vec![(name.to_owned(), value.to_owned(), reason.to_owned())];
        assert_eq!(refused(raw), expected, "{raw}");
    }
}

#[test]
fn every_mistake_is_named_and_the_list_is_bounded() {
    assert_eq!(refused("window=x&top=y&z=1").len(), 3);
    let many: Vec<String> = (0..300)
        .map(|i| format!("p{i}={}", "x".repeat(500)))
        .collect();
    let errors = refused(&many.join("&"));
    assert_eq!(errors.len(), 16);
    assert!(errors.iter().all(|e| e.1.len() <= 200));
}

#[test]
fn equal_meanings_have_one_canonical_text() {
    let canonical = |raw: &str| Query::parse(raw).unwrap().canonical();
    for (a, b) in [
        (
            "",
            "window=5m&health=all&top=5000&group_by=service&at=now&quantiles=0.99,0.9,0.5,0.95,0.950",
        ),
        ("window=90s", "window=1m30s"),
        (
            "namespace=b&namespace=a&namespace=b",
            "namespace=a&namespace=b",
        ),
        ("focus=x", "focus=x&up=1&down=2"),
        ("type=user,database", "type=database&type=user"),
        ("at=2026-11-23T01:05:00Z", "at=1795395900"),
        (
            "at=2026-11-23T02:05:00+01:00",
            "at=2026-11-23T02:05:00%2B01:00",
        ),
        ("at=-10m", "at=-600s"),
        ("min_rate_per_s=-0", ""),
    ] {
        assert_eq!(canonical(a), canonical(b), "{a} | {b}");
    }
    for (a, b) in [
        ("service=a", "exclude=a"),
        ("service=a&service=b", "service=a\",%20\"b"),
        ("focus=a", "focus=a&up=2"),
        ("quantiles=0.5", ""),
        ("include=histograms", "include=exemplars"),
    ] {
        assert_ne!(canonical(a), canonical(b), "{a} | {b}");
    }
}

#[test]
fn times_are_read_as_people_write_them() {
    assert_eq!(duration("1h30m"), Ok(5_400));
    assert_eq!(duration("1d"), Ok(86_400));
    assert_eq!(at("2026-11-23T01:05:00.9Z"), Ok(At::Unix(1_795_395_900)));
    assert_eq!(at("-1h"), Ok(At::Ago(3_600)));
    assert!(at("1960-01-01T00:00:00Z").is_err());
    assert_eq!(rfc3339(1_795_395_600), "2026-11-23T01:00:00Z");
    assert_eq!(rfc3339(u64::MAX), "9999-12-30T22:00:00Z");
}
