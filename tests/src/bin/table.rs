//! Turns the lines of many environments into one table: environments × cases.
//!
//! Reads the files named as arguments, or standard input, and picks the lines `CASE <environment> <id>
//! passed|skipped|failed <sentence>[ | <reason>]` out of any other output. Prints a line for each environment with the
//! number of cases that passed, failed and were skipped, a row for each case and a column for each environment, the
//! skipped cases with their reasons, and the failed ones. Its last line is `conformance: N passed, M failed, K
//! skipped`;
//! its status is 1 if a case failed, and also if there was none at all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut text = Vec::new();
    let mut names = std::env::args_os().skip(1).peekable();
    if names.peek().is_none() {
        std::io::stdin().read_to_end(&mut text).expect("standard input can be read");
    }
    for name in names {
        // The console of a machine prints other bytes too.
        text.extend(std::fs::read(&name).unwrap_or_else(|error| panic!("{}: {error}", name.to_string_lossy())));
        text.push(b'\n');
    }
    let text = String::from_utf8_lossy(&text);
    let table = Table::of(&text);
    print!("{}", table.to_text());
    if table.count("failed") == 0 && table.count("passed") > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const OUTCOMES: [&str; 3] = ["passed", "failed", "skipped"];

/// The cases and the environments, each in the order in which they were first seen.
#[derive(Default)]
struct Table<'a> {
    environments: Vec<&'a str>,
    cases: Vec<(&'a str, &'a str)>,
    /// By environment and case: the outcome, and the reason if there is one.
    cells: BTreeMap<(&'a str, &'a str), (&'a str, &'a str)>,
}

impl<'a> Table<'a> {
    fn of(text: &'a str) -> Self {
        let mut table = Self::default();
        for line in text.lines().filter_map(|line| line.trim_end().strip_prefix("CASE ")) {
            let mut words = line.splitn(4, ' ');
            let (Some(environment), Some(id), Some(outcome), Some(rest)) =
                (words.next(), words.next(), words.next(), words.next())
            else {
                continue;
            };
            let (sentence, reason) = rest.split_once(" | ").unwrap_or((rest, ""));
            if !table.environments.contains(&environment) {
                table.environments.push(environment);
            }
            if !table.cases.iter().any(|(known, _)| *known == id) {
                table.cases.push((id, sentence));
            }
            // An environment that was run twice has failed if it failed once.
            let cell = table.cells.entry((environment, id)).or_insert((outcome, reason));
            if cell.0 != "failed" {
                *cell = (outcome, reason);
            }
        }
        table
    }

    fn count(&self, outcome: &str) -> usize {
        self.cells.values().filter(|(ended, _)| *ended == outcome).count()
    }

    fn count_in(&self, environment: &str, outcome: &str) -> usize {
        self.cells.iter().filter(|((of, _), (ended, _))| *of == environment && *ended == outcome).count()
    }

    fn to_text(&self) -> String {
        let mut out = String::new();
        for (n, environment) in self.environments.iter().enumerate() {
            let [passed, failed, skipped] = OUTCOMES.map(|outcome| self.count_in(environment, outcome));
            writeln!(
                out,
                "environment {} {environment}: {passed} passed, {failed} failed, {skipped} skipped",
                letter(n)
            )
            .unwrap();
        }
        let head: String = (0..self.environments.len()).map(letter).collect();
        writeln!(out, "\n{:6}{head}  sentence (. passed, - skipped, F failed, blank: not tried)", "case").unwrap();
        for (id, sentence) in &self.cases {
            let row: String = self
                .environments
                .iter()
                .map(|environment| match self.cells.get(&(*environment, *id)) {
                    Some(("passed", _)) => '.',
                    Some(("skipped", _)) => '-',
                    Some(_) => 'F',
                    None => ' ',
                })
                .collect();
            writeln!(out, "{id:6}{row}  {sentence}").unwrap();
        }
        self.list(&mut out, "skipped", "skipped, and why:");
        self.list(&mut out, "failed", "FAILED:");
        let [passed, failed, skipped] = OUTCOMES.map(|outcome| self.count(outcome));
        writeln!(out, "\nconformance: {passed} passed, {failed} failed, {skipped} skipped").unwrap();
        out
    }

    /// Environments whose same cases have the same outcome and reason share a line.
    fn list(&self, out: &mut String, outcome: &str, title: &str) {
        let mut lines: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for ((environment, id), (ended, reason)) in &self.cells {
            if *ended == outcome {
                lines.entry((environment, reason)).or_default().push(id);
            }
        }
        if !lines.is_empty() {
            writeln!(out, "\n{title}").unwrap();
        }
        for ((environment, reason), ids) in lines {
            writeln!(out, "  {environment}: {}: {reason}", ids.join(" ")).unwrap();
        }
    }
}

/// An environment's column: A to Z, a to z, and so on from the beginning.
fn letter(n: usize) -> char {
    ('A'..='Z').chain('a'..='z').cycle().nth(n).unwrap_or('?')
}

#[cfg(test)]
mod tests {
    use super::Table;

    const LINES: &str = "noise\n\
        CASE host C1.1 passed a flag is a flag\n\
        CASE slow C1.1 failed a flag is a flag | it is not (creation.rs:7)\r\n\
        CASE host C2.1 skipped a count counts | no counter here\n";

    #[test]
    fn lines_of_two_environments_make_a_table_of_two_columns() {
        let text = Table::of(LINES).to_text();
        assert!(
            text.starts_with("environment A host: 1 passed, 0 failed, 1 skipped\nenvironment B slow: 0 "),
            "{text}"
        );
        assert!(text.contains("\nC1.1  .F  a flag is a flag\n"), "{text}");
        assert!(text.contains("\nC2.1  -   a count counts\n"), "{text}");
        assert!(text.contains("  host: C2.1: no counter here\n"), "{text}");
        assert!(text.contains("  slow: C1.1: it is not (creation.rs:7)\n"), "{text}");
        assert!(text.ends_with("\nconformance: 1 passed, 1 failed, 1 skipped\n"), "{text}");
    }

    #[test]
    fn a_failure_is_kept_when_the_environment_is_run_again() {
        let again = format!("{LINES}CASE slow C1.1 passed a flag is a flag\n");
        assert_eq!(Table::of(&again).count("failed"), 1);
    }

    #[test]
    fn a_table_without_lines_is_empty() {
        assert_eq!(Table::of("noise\nCASE\nCASE host\n").count("passed"), 0);
    }
}
