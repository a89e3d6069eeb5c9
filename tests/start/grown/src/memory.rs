//! The functions that the compiler calls for copies, fills and comparisons: lengths, alignments and overlaps.

use core::hint::black_box;

const SIZE: usize = 8192;

/// A byte that differs from its neighbours, and from the one 256 further.
const fn pattern(index: usize) -> u8 {
    (index.wrapping_mul(7) ^ (index >> 8)) as u8
}

/// Whether all of them work.
pub fn works() -> bool {
    // Zeroed: 4 KiB and more are a call of memset.
    let mut from = black_box([0_u8; SIZE]);
    let mut to = black_box([0_u8; SIZE]);
    let lengths = (0..=80).chain([95, 96, 97, 127, 128, 129, 191, 200, 255, 256, 511, 1024, 2047, 2048, 2049, 4000]);
    let mut good = from.iter().all(|&byte| byte == 0);
    for length in lengths {
        for (a, b) in [(0, 0), (1, 0), (0, 1), (3, 5), (7, 7), (8, 15), (13, 4), (15, 16), (16, 17)] {
            good &= copied(&mut from, &mut to, a, b, black_box(length));
        }
        // Overlapping by every length, both ways.
        for distance in [0, 1, 7, 8, 15, 16, 17, 63, 64, 65] {
            good &= moved(&mut from, 64, 64 + distance, black_box(length));
            good &= moved(&mut from, 64 + distance, 64, black_box(length));
        }
    }
    good
}

fn fill(bytes: &mut [u8; SIZE]) {
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = pattern(index);
    }
}

/// A copy, a comparison of equal and of different memory, and a fill, with the bytes around them.
fn copied(from: &mut [u8; SIZE], to: &mut [u8; SIZE], a: usize, b: usize, length: usize) -> bool {
    fill(from);
    to[..b + length + 64].fill(black_box(0xa5));
    to[b..b + length].copy_from_slice(&from[a..a + length]);
    let mut good = (0..length).all(|index| to[b + index] == pattern(a + index));
    good &= (0..b).chain(b + length..b + length + 64).all(|index| to[index] == 0xa5);
    good &= to[b..b + length] == from[a..a + length];
    for place in [0, length / 2, length.saturating_sub(1)] {
        if place < length {
            let old = to[b + place];
            to[b + place] = old.wrapping_add(0x80);
            good &= to[b..b + length] != from[a..a + length];
            good &= (to[b..b + length] < from[a..a + length]) == (to[b + place] < old);
            to[b + place] = old;
        }
    }
    to[b..b + length].fill(black_box(9));
    good & (0..b + length + 64).all(|index| to[index] == if (b..b + length).contains(&index) { 9 } else { 0xa5 })
}

fn moved(bytes: &mut [u8; SIZE], from: usize, to: usize, length: usize) -> bool {
    fill(bytes);
    bytes.copy_within(from..from + length, to);
    let around = (0..to).chain(to + length..to + length + 160);
    (0..length).all(|index| bytes[to + index] == pattern(from + index))
        && around.fold(true, |good, index| good & (bytes[index] == pattern(index)))
}
