//! Compares instructions and sizes with the files in `expected/`.
//!
//! Compares the exact values only if compiler and architecture are those of the file; always compares rsyscall with the
//! limit and its peers in the same run.

use crate::rows::{Allowance, Count, LIMIT, Lost, OURS, Size, UNCHECKED, read};
use crate::{Result, file};

const FILES: [&str; 2] = ["instructions.csv", "sizes.csv"];

pub fn bless() -> Result<()> {
    for name in FILES {
        std::fs::copy(file(&format!("results/{name}")), file(&format!("expected/{name}")))?;
        println!("blessed: benches/expected/{name}");
    }
    Ok(())
}

pub fn check() -> Result<bool> {
    let mut wrong = Vec::new();
    let counts: Vec<Count> = read("results/instructions.csv")?;
    let sizes: Vec<Size> = read("results/sizes.csv")?;
    let lost: Vec<Lost> = read("expected/lost.csv")?;
    against_limit(&counts, &read::<Allowance>("expected/allowances.csv")?, &mut wrong);
    against_peers(&counts, &lost, &mut wrong);
    sizes_against_peers(&sizes, &lost, &mut wrong);
    if same_compiler("instructions.csv")? {
        let expected: Vec<Count> = read("expected/instructions.csv")?;
        compare(counts.iter().map(|row| (row.key(), row.instructions)), &expected, "instructions", &mut wrong);
    }
    if same_compiler("sizes.csv")? {
        let expected: Vec<Size> = read("expected/sizes.csv")?;
        compare(sizes.iter().map(|row| (row.key(), row.text)), &expected, "bytes of text", &mut wrong);
    }
    for line in &wrong {
        eprintln!("WORSE {line}");
    }
    if wrong.is_empty() {
        println!("{} instruction counts and {} sizes are as expected", counts.len(), sizes.len());
    } else {
        eprintln!("next: fix it, or if it is intended: ci/bench --bless, and give the reason in the commit");
    }
    Ok(wrong.is_empty())
}

/// Whether the first lines of the two files, which name the compiler, are equal.
fn same_compiler(name: &str) -> Result<bool> {
    let first = |folder: &str| -> Result<String> {
        let text = std::fs::read_to_string(file(&format!("{folder}/{name}")))?;
        Ok(text.lines().next().unwrap_or("").trim_start_matches("# ").into())
    };
    let (expected, here) = (first("expected")?, first("results")?);
    if expected != here {
        println!("SKIPPED the exact values of {name}: expected of {expected:?}, and this is {here:?}");
    }
    Ok(expected == here)
}

trait Row {
    fn key(&self) -> String;
    fn value(&self) -> u64;
    /// Whether it is this crate's.
    fn ours(&self) -> bool;
}

impl Row for Count {
    fn key(&self) -> String {
        format!("{}: {}", self.operation, self.peer)
    }
    fn value(&self) -> u64 {
        self.instructions
    }
    fn ours(&self) -> bool {
        self.peer.starts_with(OURS)
    }
}

impl Row for Size {
    fn key(&self) -> String {
        format!("{}: {}", self.architecture, self.program)
    }
    fn value(&self) -> u64 {
        self.text
    }
    fn ours(&self) -> bool {
        self.program == OURS
    }
}

fn compare<R: Row>(found: impl Iterator<Item = (String, u64)>, expected: &[R], unit: &str, wrong: &mut Vec<String>) {
    let found: Vec<_> = found.collect();
    for row in expected {
        let (key, before) = (row.key(), row.value());
        match found.iter().find(|(other, _)| *other == key) {
            Some((_, now)) if *now == before => {}
            Some((_, now)) if row.ours() && *now > before => {
                wrong.push(format!("{key}: {now} {unit}, expected {before}"))
            }
            Some((_, now)) => println!("changed {key}: {now} {unit}, expected {before}"),
            None if row.ours() => wrong.push(format!("{key}: not measured, expected {before} {unit}")),
            None => println!("changed {key}: not measured, expected {before} {unit}"),
        }
    }
}

fn against_limit(counts: &[Count], allowances: &[Allowance], wrong: &mut Vec<String>) {
    for ours in counts.iter().filter(|row| row.peer == OURS) {
        let Some(limit) = counts.iter().find(|row| row.peer == LIMIT && row.operation == ours.operation) else {
            continue;
        };
        let allowance = allowances.iter().find(|row| row.operation == ours.operation).map_or(0, |row| row.instructions);
        if ours.instructions > limit.instructions + allowance {
            let (now, limit) = (ours.instructions, limit.instructions);
            wrong.push(format!("{}: {now} instructions, by hand {limit}, allowed {allowance} more", ours.operation));
        }
    }
}

fn against_peers(counts: &[Count], lost: &[Lost], wrong: &mut Vec<String>) {
    for ours in counts.iter().filter(|row| row.peer == OURS) {
        let peers = counts.iter().filter(|row| row.operation == ours.operation);
        for peer in peers.filter(|row| ![OURS, LIMIT, UNCHECKED].contains(&row.peer.as_str())) {
            let known = lost
                .iter()
                .any(|row| row.table == "instructions" && row.row == peer.operation && row.peer == peer.peer);
            if peer.instructions < ours.instructions && !known {
                let (now, theirs) = (ours.instructions, peer.instructions);
                wrong.push(format!("{}: {now} instructions, {} has {theirs}", ours.operation, peer.peer));
            }
        }
    }
}

fn sizes_against_peers(sizes: &[Size], lost: &[Lost], wrong: &mut Vec<String>) {
    for ours in sizes.iter().filter(|row| row.program == OURS) {
        for peer in sizes.iter().filter(|row| row.architecture == ours.architecture && row.program != LIMIT) {
            let known =
                lost.iter().any(|row| row.table == "text" && row.row == peer.architecture && row.peer == peer.program);
            if peer.text < ours.text && !known {
                wrong.push(format!(
                    "{}: {} bytes of text, {} has {}",
                    ours.architecture, ours.text, peer.program, peer.text
                ));
            }
        }
    }
}
