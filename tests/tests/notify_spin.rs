//! How long a waiter spins before it sleeps, spin by spin.

#[allow(dead_code, reason = "the crate uses more of it than this")]
#[path = "../../src/notify/spin.rs"]
mod spin;

use spin::{Spin, Spinner};
use std::cell::Cell;

/// Spins until the given spin, which succeeds, or unsuccessfully: returns the result, and the number of spins.
fn spin(spinner: &Spinner, seen: Option<u32>) -> (bool, u32) {
    let spins = Cell::new(0);
    let result = spinner.spin(|| {
        spins.set(spins.get() + 1);
        Some(spins.get()) == seen
    });
    (result, spins.get())
}

#[test]
fn never_makes_no_spin() {
    let spinner = Spinner::new(Spin::NEVER);
    assert_eq!(spin(&spinner, Some(1)), (false, 0));
}

#[test]
fn unsuccessful_spins_halve_the_budget_down_to_a_64th_and_every_32nd_wait_has_the_maximum() {
    let spinner = Spinner::new(Spin::max_spins(256));
    let halves = [256, 128, 64, 32, 16, 8];
    for round in 0..4 {
        for time in 0..32 {
            let spins = halves.get(time).copied().unwrap_or(4);
            assert_eq!(spin(&spinner, None), (false, spins), "round {round}, time {time}");
        }
    }
}

#[test]
fn successful_spins_double_the_budget_up_to_the_maximum() {
    let spinner = Spinner::new(Spin::max_spins(100));
    for spins in [100, 50, 25, 12, 6, 3, 1, 1] {
        assert_eq!(spin(&spinner, None), (false, spins));
    }
    for budget in [1, 2, 4, 8, 16, 32, 64, 100, 100] {
        // The last spin of the budget.
        assert_eq!(spin(&spinner, Some(budget)), (true, budget));
    }
    assert_eq!(spin(&spinner, Some(7)), (true, 7));
    assert_eq!(spin(&spinner, None), (false, 100));
}

#[test]
fn the_smallest_budget_is_one_spin() {
    let spinner = Spinner::new(Spin::max_spins(1));
    for _ in 0..100 {
        assert_eq!(spin(&spinner, None), (false, 1));
    }
}
