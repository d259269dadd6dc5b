//! Which bucket of scale 4 a duration in nanoseconds falls into, exactly.
//!
//! Bucket `i` covers (b^i, b^(i+1)] seconds with b = 2^(1/16), so the border `k` in whole nanoseconds is
//! `floor(2^(k/16) * 10^9)` and a duration lies at or below it exactly when its nanoseconds do. The borders are computed
//! at build time with integers alone. No logarithm is taken, so no rounding can move a value over a border.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "borders and indexes number a few thousand, computed at build time"
)]

/// The scale every live histogram starts at.
pub const SCALE: i32 = 4;

/// Buckets per octave at [`SCALE`].
const PER_OCTAVE: i32 = 1 << SCALE;

/// First border that is listed: 2^-30 s, less than a nanosecond.
const FIRST_BORDER: i32 = -30 * PER_OCTAVE;

/// Borders listed: up to 2^35 s, more than `u64::MAX` nanoseconds.
const BORDERS: usize = 65 * PER_OCTAVE as usize + 1;

/// `floor(2^(j/16) * 2^96)`.
const ROOTS: [u128; PER_OCTAVE as usize] = [
    0x1_0000_0000_0000_0000_0000_0000,
    0x1_0b55_86cf_9890_f629_8b92_b718,
    0x1_172b_83c7_d517_adcd_f7c8_c50e,
    0x1_2387_a6e7_5623_866c_1fad_b1c1,
    0x1_306f_e0a3_1b71_52de_8d5a_4630,
    0x1_3dea_64c1_2342_235b_4122_3e13,
    0x1_4bfd_ad53_62a2_71d4_397a_fec4,
    0x1_5ab0_7dd4_8542_958c_9301_5191,
    0x1_6a09_e667_f3bc_c908_b2fb_1366,
    0x1_7a11_473e_b018_6d7d_5102_3f6c,
    0x1_8ace_5422_aa0d_b5ba_7c55_a192,
    0x1_9c49_182a_3f09_01c7_c46b_071f,
    0x1_ae89_f995_ad3a_d5e8_734d_1773,
    0x1_c199_bdd8_5529_c222_0cb1_2a09,
    0x1_d581_8dcf_ba48_725d_a05a_eb66,
    0x1_ea4a_fa2a_490d_9858_f73a_18f5,
];

/// Border `FIRST_BORDER + n` in nanoseconds; saturates above `u64::MAX`.
static BORDER_NS: [u64; BORDERS] = borders();

/// Mantissa bits that choose a cell: 32 cells an octave are narrower than a bucket, so one border at most lies inside.
const CELL_BITS: u32 = 5;

/// For each cell (octave, mantissa bits), the first listed border at or above the cell's lowest value.
static FIRST_AT: [u16; 64 << CELL_BITS] = cells();

/// The bucket of a duration of `ns` nanoseconds; 0 belongs to no bucket and is answered like 1.
///
/// ```
/// use spangraph::graph::bucket::index;
/// assert_eq!(index(1_000_000_000), -1); // exactly 1 s closes the bucket (b^-1, b^0]
/// assert_eq!(index(1_000_000_001), 0);
/// ```
#[inline]
pub fn index(ns: u64) -> i32 {
    let ns = ns.max(1);
    let octave = ns.ilog2();
    let mantissa = ((ns << (63 - octave)) >> (63 - CELL_BITS)) as usize & ((1 << CELL_BITS) - 1);
    let first = FIRST_AT[(octave as usize) << CELL_BITS | mantissa];
    let above = i32::from(ns > BORDER_NS[usize::from(first)]);
    i32::from(first) + above + FIRST_BORDER - 1
}

/// Greatest whole number of nanoseconds at or below border `k` of [`SCALE`] (2^(k/16) s), within what `u64` holds.
pub fn border_ns(k: i32) -> u64 {
    let at = (k - FIRST_BORDER).clamp(0, BORDER_NS.len() as i32 - 1);
    BORDER_NS[at.unsigned_abs() as usize]
}

const fn borders() -> [u64; BORDERS] {
    let mut list = [0; BORDERS];
    let mut n = 0;
    while n < BORDERS {
        let k = FIRST_BORDER + n as i32;
        // 97 bits times 30 bits fit 128. The constant is short by less than 2^-96, the product by less than 2^-66, and
        // no border lies that close under a whole nanosecond (tests/histogram_index.rs).
        let product = ROOTS[k.rem_euclid(PER_OCTAVE) as usize] * 1_000_000_000;
        let ns = product >> (96 - k.div_euclid(PER_OCTAVE));
        list[n] = if ns > u64::MAX as u128 {
            u64::MAX
        } else {
            ns as u64
        };
        n += 1;
    }
    list
}

const fn cells() -> [u16; 64 << CELL_BITS] {
    let borders = borders();
    let mut list = [0; 64 << CELL_BITS];
    let mut border: u16 = 0;
    let mut cell = 0;
    while cell < list.len() {
        let octave = (cell >> CELL_BITS) as u32;
        let mantissa = (cell & ((1 << CELL_BITS) - 1)) as u64;
        let lowest = (((1 << CELL_BITS) | mantissa) << (63 - CELL_BITS)) >> (63 - octave);
        while borders[border as usize] < lowest {
            border += 1;
        }
        list[cell] = border;
        cell += 1;
    }
    list
}
