//! Plays one visit: the operations it leads to, the time they take, what fails, and every span of it.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::attributes::{self, Answer, HttpCall, Told};
use super::dice::Dice;
use super::script::{Call, Operation, Partner, Query, Step};
use super::service::Service;
use super::shop::VISITS;
use super::spans::{Draft, Here, Made};
use super::weather::Weather;

/// One visit being played.
#[derive(Debug)]
struct Visit<'a> {
    dice: &'a mut Dice,
    weather: Weather,
    trace: Vec<u8>,
    made: &'a mut Vec<Made>,
}

/// When something ended (unix nanoseconds), and whether it failed.
#[derive(Debug, Clone, Copy)]
struct Ended {
    at: u64,
    failed: bool,
}

/// One way through the shop's network.
const HOP: Duration = Duration::from_micros(350);
/// How long a producer takes, and how long a message stays in its topic.
const SEND: Duration = Duration::from_millis(3);
const IN_TOPIC: Duration = Duration::from_millis(120);
/// A partner that cannot says so sooner than one that can.
const REFUSAL: Duration = Duration::from_millis(15);
/// Before asking a partner again.
const BACK_OFF: Duration = Duration::from_millis(40);

/// Plays a visit that begins at `start_ns` (unix nanoseconds) and appends its spans to `made`.
pub(super) fn play(dice: &mut Dice, weather: Weather, start_ns: u64, made: &mut Vec<Made>) {
    let trace = [dice.id().to_be_bytes(), dice.id().to_be_bytes()].concat();
    let operation = choose(dice);
    let mut visit = Visit {
        dice,
        weather,
        trace,
        made,
    };
    visit.serve(operation, None, start_ns);
}

fn choose(dice: &mut Dice) -> &'static Operation {
    let all = VISITS.iter().map(|(share, _)| u64::from(*share)).sum();
    let mut left = dice.below(all);
    for (share, operation) in VISITS {
        match left.checked_sub(u64::from(share)) {
            None => return operation,
            Some(rest) => left = rest,
        }
    }
    VISITS[0].1
}

// === impl Visit ===

impl Visit<'_> {
    /// One operation, from its inbound span on. As deep as the shop's calls are.
    fn serve(&mut self, operation: &'static Operation, parent: Option<u64>, start: u64) -> Ended {
        let here = self.enter(operation.service);
        // Its own work lies before, between and after its steps.
        let piece = self.dice.around(operation.own) / (operation.steps.len() as u64 + 1);
        let mut now = Ended::fine(start + piece);
        for step in operation.steps {
            now = self.step(here, step, now.at);
            now.at += piece;
            if now.failed {
                break;
            }
        }
        let answer = Answer::of(now.failed);
        let (kind, told) = attributes::inbound(operation, answer, here.conventions());
        self.record(
            here,
            here.span,
            parent,
            Draft {
                kind,
                told,
                times: [start, now.at],
                failed: now.failed,
            },
        );
        now
    }

    fn step(&mut self, here: Here, step: &'static Step, at: u64) -> Ended {
        match step {
            Step::Call(call) if self.happens(call.share) => self.call(here, call, at),
            Step::Ask(query) if self.happens(query.share) => self.ask(here, query, at),
            Step::Call(_) | Step::Ask(_) => Ended::fine(at),
            Step::Together(steps) => {
                let ends: Vec<_> = steps.iter().map(|s| self.step(here, s, at)).collect();
                Ended {
                    at: ends.iter().map(|end| end.at).max().unwrap_or(at),
                    failed: ends.iter().any(|end| end.failed),
                }
            }
            Step::External(partner) => self.external(here, partner, at),
            Step::Publish(topic, consumers) => self.publish(here, topic, consumers, at),
            Step::Inside(name, typical) => self.inside(here, name, *typical, at),
        }
    }

    fn call(&mut self, here: Here, call: &'static Call, at: u64) -> Ended {
        let client = self.dice.id();
        let there = at + self.dice.around(HOP);
        let served = self.serve(call.to, Some(client), there);
        let back = served.at + self.dice.around(HOP);
        // The callee knows nothing of its caller's patience, and works on.
        let gives_up = at + nanos(call.patience);
        let (answer, end) = if back > gives_up {
            (Answer::TimedOut, gives_up)
        } else {
            (Answer::of(served.failed), back)
        };
        let failed = answer != Answer::Fine;
        self.record(
            here,
            client,
            Some(here.span),
            Draft {
                kind: SpanKind::Client,
                told: attributes::outbound(call.to, answer, here.conventions()),
                times: [at, end],
                failed,
            },
        );
        Ended {
            at: end,
            failed: failed && !call.optional,
        }
    }

    fn ask(&mut self, here: Here, query: &Query, at: u64) -> Ended {
        let end = at + self.dice.around(query.typical);
        let told = attributes::query(query, here.conventions());
        self.below(here, SpanKind::Client, told, [at, end], false);
        Ended::fine(end)
    }

    /// Asks until it works or the tries are used up; each try is a span of its own.
    fn external(&mut self, here: Here, partner: &Partner, at: u64) -> Ended {
        let mut start = at;
        for resent in 0..partner.tries {
            let failed = self.dice.percent(partner.failing_percent(self.weather));
            let typical = if failed { REFUSAL } else { partner.typical };
            let end = start + self.dice.around(typical);
            let call = HttpCall {
                method: "POST",
                path: partner.path,
                host: partner.host,
                secure: true,
                resent,
                answer: Answer::of(failed),
            };
            let told = call.client(here.conventions());
            self.below(here, SpanKind::Client, told, [start, end], failed);
            if !failed {
                return Ended::fine(end);
            }
            start = end + self.dice.around(BACK_OFF);
        }
        Ended {
            at: start,
            failed: true,
        }
    }

    /// Ends when the message was sent; nobody waits for the consumers.
    fn publish(
        &mut self,
        here: Here,
        topic: &str,
        consumers: &[&'static Operation],
        at: u64,
    ) -> Ended {
        let sent = at + self.dice.around(SEND);
        let told = attributes::sent(topic, here.conventions());
        let producer = self.below(here, SpanKind::Producer, told, [at, sent], false);
        for consumer in consumers {
            let taken = sent + self.dice.around(IN_TOPIC);
            self.serve(consumer, Some(producer), taken);
        }
        Ended::fine(sent)
    }

    fn inside(&mut self, here: Here, name: &str, typical: Duration, at: u64) -> Ended {
        let end = at + self.dice.around(typical);
        let told = Told {
            name: name.to_owned(),
            attributes: Vec::new(),
        };
        self.below(here, SpanKind::Internal, told, [at, end], false);
        Ended::fine(end)
    }

    fn enter(&mut self, service: &'static Service) -> Here {
        let instance = self.dice.below(service.instances.into());
        Here {
            service,
            instance: u8::try_from(instance).unwrap_or_default(),
            span: self.dice.id(),
        }
    }

    fn happens(&mut self, share: u8) -> bool {
        share >= 100 || self.dice.percent(share.into())
    }

    /// A span below the one we are in; returns its id.
    fn below(
        &mut self,
        here: Here,
        kind: SpanKind,
        told: Told,
        times: [u64; 2],
        failed: bool,
    ) -> u64 {
        let id = self.dice.id();
        let draft = Draft {
            kind,
            told,
            times,
            failed,
        };
        self.record(here, id, Some(here.span), draft);
        id
    }

    fn record(&mut self, here: Here, id: u64, parent: Option<u64>, draft: Draft) {
        self.made.push(here.made(&self.trace, id, parent, draft));
    }
}

// === impl Ended ===

impl Ended {
    fn fine(at: u64) -> Self {
        Self { at, failed: false }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
