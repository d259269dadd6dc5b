//! When the shop's partner breaks down: for ten seconds of every minute.

use std::time::Duration;

/// How things are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// Now and then something fails, and trying again helps.
    Calm,
    /// The card processor fails most of the time.
    Burst,
}

/// Second of each minute at which it begins: late enough to see the calm first.
pub(super) const BURST_FROM_S: u64 = 10;
/// How long it lasts, in seconds.
pub(super) const BURST_FOR_S: u64 = 10;

// === impl Weather ===

impl Weather {
    /// How things are so long after the start.
    pub(super) fn after(running: Duration) -> Self {
        let second = running.as_secs() % 60;
        if (BURST_FROM_S..BURST_FROM_S + BURST_FOR_S).contains(&second) {
            Self::Burst
        } else {
            Self::Calm
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_of_every_minute_are_a_burst() {
        let bursts = |minute: u64| {
            let seconds = (minute * 60..minute * 60 + 60).map(Duration::from_secs);
            seconds
                .filter(|s| Weather::after(*s) == Weather::Burst)
                .count()
        };
        assert_eq!((bursts(0), bursts(7)), (10, 10));
        assert_eq!(Weather::after(Duration::from_secs(9)), Weather::Calm);
        assert_eq!(Weather::after(Duration::from_secs(10)), Weather::Burst);
        assert_eq!(Weather::after(Duration::from_secs(90)), Weather::Calm);
    }
}
