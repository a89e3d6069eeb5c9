//! One line of a report, for people and for the table.

use crate::{Environment, Outcome};
use core::fmt;

/// `CASE <environment> <id> passed|skipped|failed <sentence>`, then after ` | ` the reason of a skip or what a check
/// saw.
pub struct Line<'a> {
    /// The environment it ran in.
    pub environment: &'a Environment<'a>,
    /// The case's identifier.
    pub id: &'static str,
    /// The case's sentence.
    pub sentence: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, id, sentence, outcome } = self;
        let name = environment.name;
        match outcome {
            Outcome::Passed => write!(f, "CASE {name} {id} passed {sentence}"),
            Outcome::Skipped(reason) => write!(f, "CASE {name} {id} skipped {sentence} | {reason}"),
            Outcome::Failed(failure) => write!(f, "CASE {name} {id} failed {sentence} | {failure}"),
        }
    }
}
