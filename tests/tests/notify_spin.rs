//! The rule of how long a waiter looks before it sleeps, look by look.

#[allow(dead_code, reason = "the crate uses more of it than this")]
#[path = "../../src/notify/spin.rs"]
mod spin;

use spin::{Spin, Spinner};
use std::cell::Cell;

/// Spins until the look of this number, which sees something, or in vain: what it answered, and how many looks it took.
fn spin(spinner: &Spinner, seen: Option<u32>) -> (bool, u32) {
    let looks = Cell::new(0);
    let answer = spinner.spin(|| {
        looks.set(looks.get() + 1);
        Some(looks.get()) == seen
    });
    (answer, looks.get())
}

#[test]
fn never_is_not_even_one_look() {
    let spinner = Spinner::new(Spin::NEVER);
    assert_eq!(spin(&spinner, Some(1)), (false, 0));
}

#[test]
fn looking_in_vain_halves_down_to_a_64th_and_every_32nd_time_it_is_the_most_again() {
    let spinner = Spinner::new(Spin::max_spins(256));
    let halves = [256, 128, 64, 32, 16, 8];
    for round in 0..4 {
        for time in 0..32 {
            let looks = halves.get(time).copied().unwrap_or(4);
            assert_eq!(spin(&spinner, None), (false, looks), "round {round}, time {time}");
        }
    }
}

#[test]
fn looking_that_is_rewarded_doubles_up_to_the_most() {
    let spinner = Spinner::new(Spin::max_spins(100));
    for looks in [100, 50, 25, 12, 6, 3, 1, 1] {
        assert_eq!(spin(&spinner, None), (false, looks));
    }
    for budget in [1, 2, 4, 8, 16, 32, 64, 100, 100] {
        // The last look that the budget has.
        assert_eq!(spin(&spinner, Some(budget)), (true, budget));
    }
    assert_eq!(spin(&spinner, Some(7)), (true, 7));
    assert_eq!(spin(&spinner, None), (false, 100));
}

#[test]
fn the_least_is_one_look() {
    let spinner = Spinner::new(Spin::max_spins(1));
    for _ in 0..100 {
        assert_eq!(spin(&spinner, None), (false, 1));
    }
}
