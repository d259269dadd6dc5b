//! Rules between keys; the rules of one key are its kind and range in the table.

use super::error::ConfigError;
use super::keys::Config;
use super::value::Value;

/// Values that are each fine but not together.
pub(super) fn contradictions(config: &Config) -> Result<(), ConfigError> {
    for rule in [ratios, shares, listeners] {
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
