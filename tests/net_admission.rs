//! The byte budget: exact, returned whole, and without deadlock.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use spangraph::net::admission::MAX_WAIT;
use spangraph::net::{Admission, Refused};
use tokio::time::Instant;

const MIB: usize = 1024 * 1024;

/// Scenario: budgets of several sizes.
/// Guarantees: the largest message is half the budget up to 64 MiB, and two of them fit at once, exactly.
#[tokio::test]
async fn a_raw_and_an_inflated_message_of_the_largest_size_fit_together() {
    let rows = [
        (2 * MIB, MIB),
        (2 * MIB + 1024, MIB),
        (100 * MIB, 50 * MIB),
        (128 * MIB, 64 * MIB),
        (1024 * MIB, 64 * MIB),
        (0, MIB),
    ];
    for (budget, largest) in rows {
        let admission = Admission::new(budget as u64);
        assert_eq!(admission.largest_message(), largest, "{budget}");
        let mut raw = admission.admit(largest).await.unwrap();
        raw.try_more(largest).unwrap();
        assert_eq!(admission.in_flight(), 2 * largest as u64);
        drop(raw);
        assert_eq!(admission.in_flight(), 0);
    }
}

/// Scenario: one KiB less, exactly as much, and one KiB more than there is.
/// Guarantees: the last KiB decides, for those who wait and for those who do not.
#[tokio::test(start_paused = true)]
async fn the_budget_is_exact() {
    for (bytes, fits) in [
        (2 * MIB - 1024, true),
        (2 * MIB, true),
        (2 * MIB + 1, false),
    ] {
        let admission = Admission::new(2 * MIB as u64);
        assert_eq!(admission.try_admit(bytes).is_ok(), fits);
        assert_eq!(admission.admit(bytes).await.is_ok(), fits);
        assert_eq!(admission.refused(), if fits { 0 } else { 2 });
    }
    let admission = Admission::new(2 * MIB as u64);
    let mut all = admission.admit(2 * MIB - 1024).await.unwrap();
    all.try_more(1024).unwrap();
    assert_eq!(all.try_more(1), Err(Refused));
    assert_eq!(all.bytes(), 2 * MIB, "a refusal takes nothing back");
}

/// Scenario: the budget is taken and released after 50 ms, and never.
/// Guarantees: one who waits gets in at the release; otherwise is refused after exactly the longest wait.
#[tokio::test(start_paused = true)]
async fn a_wait_ends_with_room_or_with_its_time() {
    let admission = Admission::new(2 * MIB as u64);
    let all = admission.admit(2 * MIB).await.unwrap();
    let start = Instant::now();
    let waiting = Arc::clone(&admission);
    let waiter = tokio::spawn(async move { waiting.admit(MIB).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(all);
    let _some = waiter.await.unwrap().unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(50));

    let start = Instant::now();
    assert!(admission.admit(2 * MIB).await.is_err());
    assert_eq!(start.elapsed(), MAX_WAIT);
}

/// Scenario: a thousand come while the budget of 8 MiB is taken.
/// Guarantees: only as many wait as the transport can afford windows for (2); the rest are refused without waiting.
#[tokio::test(start_paused = true)]
async fn the_waiting_room_is_bounded() {
    let admission = Admission::new(8 * MIB as u64);
    let _all = admission.admit(8 * MIB).await.unwrap();
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        let admission = Arc::clone(&admission);
        tasks.spawn(async move { (admission.admit(1).await.is_err(), Instant::now()) });
    }
    let ends = tasks.join_all().await;
    assert!(ends.iter().all(|(refused, _)| *refused));
    assert_eq!(ends.iter().filter(|(_, end)| *end > start).count(), 2);
    assert_eq!(admission.refused(), 1000);
}

/// Scenario: a hundred tasks on two threads take half the budget and then more, ten times each.
/// Guarantees: it ends (who holds never waits), and every byte comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn holders_never_wait_for_each_other() {
    let admission = Admission::new(2 * MIB as u64);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let admission = Arc::clone(&admission);
        tasks.spawn(async move {
            for _ in 0..10 {
                if let Ok(mut permit) = admission.admit(MIB).await {
                    tokio::task::yield_now().await;
                    let _ = permit.try_more(MIB);
                }
            }
        });
    }
    let all = tokio::time::timeout(Duration::from_mins(1), tasks.join_all()).await;
    assert!(all.is_ok());
    assert_eq!(admission.in_flight(), 0);
}
