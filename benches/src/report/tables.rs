//! `results/README.md`: every table, in Markdown, from the files.

use crate::ranks::{Bar, ranked};
use crate::rows::{Allowance, Build, Count, Lost, Size, Time, UNCHECKED, distinct, read};
use crate::{Result, file};
use std::fmt::Write;

pub fn write() -> Result<()> {
    let mut text = String::from("# Measurements\n\nMade by `ci/bench`, not by hand.\n\n");
    let machine = std::fs::read_to_string(file("results/machine.txt"))?;
    for line in machine.lines() {
        writeln!(text, "* {line}")?;
    }
    times(&mut text, &read("results/times.csv")?)?;
    counts(&mut text, &read("results/instructions.csv")?)?;
    if let Ok(rows) = read("results/sizes.csv") {
        sizes(&mut text, &rows)?;
    }
    if let Ok(rows) = read("results/builds.csv") {
        builds(&mut text, &rows)?;
    }
    not_won(&mut text)?;
    Ok(std::fs::write(file("results/README.md"), text)?)
}

fn header(text: &mut String, first: &str, columns: &[&str]) -> Result<()> {
    writeln!(text, "| {first} | {} |\n|---|{}", columns.join(" | "), "--:|".repeat(columns.len()))?;
    Ok(())
}

fn times(text: &mut String, rows: &[Time]) -> Result<()> {
    let operations = distinct(rows.iter().map(|row| row.operation.as_str()));
    let peers = distinct(rows.iter().map(|row| row.peer.as_str()));
    text.push_str(
        "\n## Time\n\nNanoseconds for one operation: the median, and in brackets the ratio to assembly by \
         hand in the same round (median). In the rows of another process the measure is a minimal client and \
         server in C.\n\n",
    );
    header(text, "ns (ratio)", &peers)?;
    for operation in &operations {
        write!(text, "| {operation} |")?;
        for peer in &peers {
            match rows.iter().find(|row| row.operation == *operation && row.peer == *peer) {
                Some(row) => write!(text, " {} ({:.2}) |", short(row.ns), row.ratio)?,
                None => text.push_str(" |"),
            }
        }
        text.push('\n');
    }
    text.push_str(
        "\nThe spread: first and third quartile over the rounds. Rows whose ratios overlap share a \
         rank.\n\n| operation | \
         rank | peer | ns | ratio |\n|---|--:|---|--:|--:|\n",
    );
    for operation in &operations {
        let rows = rows.iter().filter(|row| row.operation == *operation && row.peer != UNCHECKED);
        for (rank, row) in ranked(rows.map(Bar::of_time).collect()) {
            let ([q1, q3], [r1, _, r3]) = (row.spread.map(short), row.compared);
            writeln!(text, "| {operation} | {rank} | {} | {q1} – {q3} | {r1:.3} – {r3:.3} |", row.label)?;
        }
    }
    Ok(())
}

/// Rounds to the significant digits.
fn short(ns: f64) -> String {
    if ns < 100.0 { format!("{ns:.1}") } else { format!("{ns:.0}") }
}

fn counts(text: &mut String, rows: &[Count]) -> Result<()> {
    let operations = distinct(rows.iter().map(|row| row.operation.as_str()));
    let peers = distinct(rows.iter().map(|row| row.peer.as_str()));
    text.push_str(
        "\n## Instructions\n\nExecuted in user space by one operation in a loop, the loop included; counted \
         by callgrind, and the same every time.\n\n",
    );
    header(text, "instructions", &peers)?;
    for operation in &operations {
        write!(text, "| {operation} |")?;
        for peer in &peers {
            match rows.iter().find(|row| row.operation == *operation && row.peer == *peer) {
                Some(row) => write!(text, " {} |", row.instructions)?,
                None => text.push_str(" |"),
            }
        }
        text.push('\n');
    }
    Ok(())
}

fn sizes(text: &mut String, rows: &[Size]) -> Result<()> {
    let architectures = distinct(rows.iter().map(|row| row.architecture.as_str()));
    let programs = distinct(rows.iter().map(|row| row.program.as_str()));
    text.push_str(
        "\n## Size\n\nBytes of the same static program (an eventfd made, written, read, verified, closed), \
         built for size: the code, and the stripped file.\n\n",
    );
    header(text, "text / file", &programs)?;
    for architecture in &architectures {
        write!(text, "| {architecture} |")?;
        for program in &programs {
            match rows.iter().find(|row| row.architecture == *architecture && row.program == *program) {
                Some(row) => write!(text, " {} / {} |", row.text, row.file)?,
                None => text.push_str(" |"),
            }
        }
        text.push('\n');
    }
    Ok(())
}

fn builds(text: &mut String, rows: &[Build]) -> Result<()> {
    text.push_str(
        "\n## Build\n\nAn empty project with each crate: packages besides itself, build dependencies \
         included, and seconds of a cold `cargo build --release` (median of three, sources already \
         fetched).\n\n",
    );
    header(text, "crate", &["packages", "seconds"])?;
    for row in rows {
        writeln!(text, "| {} | {} | {:.1} |", row.krate, row.dependencies, row.seconds)?;
    }
    Ok(())
}

fn not_won(text: &mut String) -> Result<()> {
    text.push_str("\n## Where rsyscall is not first, and why\n\n");
    for row in read::<Lost>("expected/lost.csv")? {
        writeln!(text, "* {}, {}: {}: {}.", row.table, row.row, row.peer, row.reason)?;
    }
    text.push_str("\nMore instructions than by hand:\n\n");
    for row in read::<Allowance>("expected/allowances.csv")? {
        writeln!(text, "* {}: {}: {}.", row.operation, row.instructions, row.reason)?;
    }
    Ok(())
}
