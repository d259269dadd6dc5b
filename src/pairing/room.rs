//! The room of lists and hash tables: what they take, and when they give it back.

use std::hash::Hash;

use ahash::{HashMap, HashSet};

/// Most things for which a list or table keeps its room from one sweep to the next.
pub(super) const KEPT: usize = 16_384;

/// Bytes a table takes: its entries, and a byte for each that says whether it is there. As many as it would take if it had
/// just grown, so that growing by one entry is never more than a few of them.
pub(super) fn of_map<K, V>(map: &HashMap<K, V>) -> u64 {
    (grown(map.capacity(), map.len()) * (size_of::<(K, V)>() + 1)) as u64
}

/// Likewise.
pub(super) fn of_set<K>(set: &HashSet<K>) -> u64 {
    (grown(set.capacity(), set.len()) * (size_of::<K>() + 1)) as u64
}

/// Likewise, of a list.
pub(super) fn of_list<T>(list: &Vec<T>) -> u64 {
    (grown(list.capacity(), list.len()) * size_of::<T>()) as u64
}

fn grown(room: usize, length: usize) -> usize {
    room.max(2 * length)
}

/// Gives back most of the room of a table that has far too much, if that is more than for `kept` entries: an enormous trace
/// is over, or memory is short.
pub(super) fn give_back_map<K: Eq + Hash, V>(map: &mut HashMap<K, V>, kept: usize) {
    if is_far_too_much(map.capacity(), map.len(), kept) {
        map.shrink_to(map.len() * 2);
    }
}

/// Likewise.
pub(super) fn give_back_set<K: Eq + Hash>(set: &mut HashSet<K>, kept: usize) {
    if is_far_too_much(set.capacity(), set.len(), kept) {
        set.shrink_to(set.len() * 2);
    }
}

/// Moving what is left costs a part of what filling did, so that giving back stays linear.
pub(super) fn is_far_too_much(room: usize, length: usize, kept: usize) -> bool {
    room > kept && room / 8 > length
}
