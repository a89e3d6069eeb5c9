//! One line of a report, for people and for the table.

use crate::{Outcome, World};
use core::fmt;

/// `CASE <world> <id> passed|skipped|failed <sentence>`, and behind ` | ` the reason of a skip or what a check saw.
pub struct Line<'a> {
    /// Where it ran.
    pub world: &'a World<'a>,
    /// The case's number.
    pub id: &'static str,
    /// The case's sentence.
    pub says: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { world, id, says, outcome } = self;
        let name = world.name;
        match outcome {
            Outcome::Passed => write!(f, "CASE {name} {id} passed {says}"),
            Outcome::Skipped(reason) => write!(f, "CASE {name} {id} skipped {says} | {reason}"),
            Outcome::Failed(failure) => write!(f, "CASE {name} {id} failed {says} | {failure}"),
        }
    }
}
