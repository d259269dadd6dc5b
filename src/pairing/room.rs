//! The room of lists and hash tables: what they take, and when they give it back.

use std::hash::Hash;

use ahash::{HashMap, HashSet};

/// Most things for which a list or table keeps its room from one sweep to the next.
pub(super) const KEPT: usize = 16_384;

/// Bytes a table takes: its entries, and a byte for each that says whether it is there.
pub(super) fn of_map<K, V>(map: &HashMap<K, V>) -> u64 {
    (map.capacity() * (size_of::<(K, V)>() + 1)) as u64
}

/// Likewise.
pub(super) fn of_set<K>(set: &HashSet<K>) -> u64 {
    (set.capacity() * (size_of::<K>() + 1)) as u64
}

/// Gives back most of the room of a table that has far too much: an enormous trace is over.
pub(super) fn give_back_map<K: Eq + Hash, V>(map: &mut HashMap<K, V>) {
    if is_far_too_much(map.capacity(), map.len()) {
        map.shrink_to(map.len() * 2);
    }
}

/// Likewise.
pub(super) fn give_back_set<K: Eq + Hash>(set: &mut HashSet<K>) {
    if is_far_too_much(set.capacity(), set.len()) {
        set.shrink_to(set.len() * 2);
    }
}

/// Moving what is left costs a part of what filling did, so that giving back stays linear.
fn is_far_too_much(room: usize, length: usize) -> bool {
    room > KEPT && room / 8 > length
}
