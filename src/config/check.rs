//! Rules between keys; the rules of one key are its kind and range in the table.

use super::error::ConfigError;
use super::keys::Config;
use super::value::Value;

/// Values that are each fine but not together.
pub(super) fn contradictions(config: &Config) -> Result<(), ConfigError> {
    for rule in [ratios, shares, listeners, dimensions, tls] {
        rule(config).map_err(ConfigError::Contradiction)?;
    }
    Ok(())
}

fn ratios(config: &Config) -> Result<(), String> {
    let (degraded, failing) = (
        config.health.degraded_failed_ratio,
        config.health.failing_failed_ratio,
    );
    if degraded <= failing {
        return Ok(());
    }
    Err(format!(
        "`health.degraded_failed_ratio` ({degraded}) must not be above `health.failing_failed_ratio` ({failing})"
    ))
}

fn shares(config: &Config) -> Result<(), String> {
    let limits = &config.limits;
    let sum = limits.sum_of_shares();
    if sum <= limits.memory {
        return Ok(());
    }
    Err(format!(
        "`limits.pairing` + `limits.history` + `limits.in_flight` + `limits.graph` ({}) must not be above `limits.memory` ({})",
        sum.show(),
        limits.memory.show()
    ))
}

/// What a query can group by besides, and what the ids of other nodes begin with.
const TAKEN: [&str; 7] = [
    "service",
    "namespace",
    "database",
    "messaging",
    "external",
    "user",
    "overflow",
];

/// Most dimensions: each multiplies nodes.
const MOST_DIMENSIONS: usize = 4;

fn dimensions(config: &Config) -> Result<(), String> {
    let keys = &config.graph.dimensions.0;
    if let Some(key) = keys.iter().find(|key| TAKEN.contains(&key.as_str())) {
        return Err(format!(
            "`graph.dimensions` must not hold `{key}`, which means something else"
        ));
    }
    if let Some((_, key)) = keys
        .iter()
        .enumerate()
        .find(|(at, key)| keys[..*at].contains(key))
    {
        return Err(format!("`graph.dimensions` holds `{key}` twice"));
    }
    match keys.len() {
        0..=MOST_DIMENSIONS => Ok(()),
        more => Err(format!(
            "`graph.dimensions` holds {more} keys; at most {MOST_DIMENSIONS}"
        )),
    }
}

fn tls(config: &Config) -> Result<(), String> {
    let (given, missing) = match (&config.api.tls_cert.0, &config.api.tls_key.0) {
        (Some(_), None) => ("api.tls_cert", "api.tls_key"),
        (None, Some(_)) => ("api.tls_key", "api.tls_cert"),
        _ => return Ok(()),
    };
    Err(format!(
        "`{given}` is of no use without `{missing}`, which is missing"
    ))
}

fn listeners(config: &Config) -> Result<(), String> {
    let all = [
        ("receiver.grpc.listen", config.grpc.listen),
        ("receiver.http.listen", config.http.listen),
        ("api.listen", config.api.listen),
    ];
    for (i, (a, address)) in all.iter().enumerate() {
        let twin = all[i + 1..]
            .iter()
            .find(|(_, other)| other == address && address.port() != 0);
        if let Some((b, _)) = twin {
            return Err(format!("`{a}` and `{b}` are both {address}"));
        }
    }
    Ok(())
}
