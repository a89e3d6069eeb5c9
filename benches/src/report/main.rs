//! Counts instructions, compares with the expected values, and makes tables and charts of the results: see `USAGE`.

mod charts;
mod counts;
mod expected;
mod ranks;
mod rows;
mod tables;

use std::path::{Path, PathBuf};

const USAGE: &str = "\
usage: report counts MEASURE   instructions per operation, by callgrind, into results/instructions.csv
       report check            results/instructions.csv and results/sizes.csv against expected/
       report bless            makes them what is expected
       report tables           results/README.md and the charts, from results/*.csv";

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["counts", measure] => counts::write(Path::new(measure)).map(|()| true),
        ["check"] => expected::check(),
        ["bless"] => expected::bless().map(|()| true),
        ["tables"] => tables::write().and_then(|()| charts::draw()).map(|()| true),
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    };
    match done {
        Ok(true) => {}
        Ok(false) => std::process::exit(1),
        Err(error) => {
            eprintln!("report: {error}");
            std::process::exit(1);
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A file of this package.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
