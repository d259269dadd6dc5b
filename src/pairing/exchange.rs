//! R12's messages at the close of a tick: every link goes to the shard of the span it names, then every answer to that of the
//! span that asked.
//!
//! All links are where they lead before any is answered, and all are answered before any answer is brought, unless answers
//! take more room than there is: then those there are are brought first. Everything goes in small pieces, between which room
//! is made; what is on its way is counted with what is held.

use super::Pairing;
use super::door::Door;
use super::probe::{Answer, LinkProbe};
use super::probes::LINK;
use super::shard::Context;
use crate::graph::call::{Call, Effects};

/// Links and answers that are brought to a shard before it is asked whether there is room for more.
const BROUGHT_AT_ONCE: usize = 64;

/// Bytes that are counted for an answer on its way: itself, in a list that may just have grown, and its call.
const ANSWER: u64 = (2 * size_of::<Answer>() + size_of::<Call>()) as u64;

/// Answers on their way, by the shard of the span that asked.
type Answers = Vec<Vec<Answer>>;

// === impl Pairing ===

impl Pairing {
    /// Asks what the shards' spans asked since the last exchange, and answers all links that settle.
    pub(super) fn exchange(&self, cx: &Context<'_>, asked: Vec<Vec<LinkProbe>>, fx: &mut Effects) {
        for probes in asked {
            self.ask(cx, probes, fx);
        }
        let mut answers: Answers = self.doors.iter().map(|_| Vec::new()).collect();
        for door in &self.doors {
            self.answer(cx, door, &mut answers, fx);
        }
        self.bring(cx, &mut answers, fx);
    }

    /// Brings links to the shards of the spans they name.
    fn ask(&self, cx: &Context<'_>, mut probes: Vec<LinkProbe>, fx: &mut Effects) {
        let to = |probe: &LinkProbe| self.shard(probe.target.trace);
        probes.sort_by_cached_key(to);
        for run in probes.chunk_by(|a, b| to(a) == to(b)) {
            let door = &self.doors[to(&run[0])];
            for piece in run.chunks(BROUGHT_AT_ONCE) {
                let bytes = piece.len() as u64 * LINK;
                let mut shard = door.take();
                shard.probes.take_in(piece);
                shard.count_without(bytes);
                drop(shard);
                self.make_room_anywhere(cx, fx);
            }
        }
    }

    /// Has a shard answer the links that name its spans.
    fn answer(&self, cx: &Context<'_>, door: &Door, answers: &mut Answers, fx: &mut Effects) {
        let mut shard = door.take();
        shard.begin_answers(cx);
        let mut given = Vec::new();
        while shard.answer_some(cx, &mut given, fx) {
            let bytes = given.len() as u64 * ANSWER;
            shard.count_without(bytes.wrapping_neg());
            drop(shard);
            for answer in given.drain(..) {
                answers[self.shard(answer.to.trace)].push(answer);
            }
            if self.share.excess() > 0 {
                self.bring(cx, answers, fx);
            }
            shard = door.take();
        }
    }

    /// Brings the answers there are to the shards of the spans that asked.
    fn bring(&self, cx: &Context<'_>, answers: &mut Answers, fx: &mut Effects) {
        for (door, answers) in self.doors.iter().zip(answers) {
            for piece in answers.chunks(BROUGHT_AT_ONCE) {
                let bytes = piece.len() as u64 * ANSWER;
                let mut shard = door.take();
                shard.take_answers(cx, piece, fx);
                shard.count_without(bytes);
                drop(shard);
                self.make_room_anywhere(cx, fx);
            }
            *answers = Vec::new();
        }
    }

    /// R2: makes room in one shard after the other, that which has the most first, if there is too little.
    fn make_room_anywhere(&self, cx: &Context<'_>, fx: &mut Effects) {
        for _ in &self.doors {
            if self.share.excess() == 0 {
                return;
            }
            if let Some(door) = self.fullest() {
                self.keep_to_budget(cx, &mut door.take(), fx);
            }
        }
    }
}
