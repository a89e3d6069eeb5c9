//! `api FILE`: prints the public interface from rustdoc's JSON, a line for each item. Exits with status 3 if the file
//! has another format than the one supported here.

use public_api::Builder;
use std::process::ExitCode;

/// The format of Rust 1.95's rustdoc, which `public-api` 0.52.0 reads.
const FORMAT: &str = "\"format_version\":57";

fn main() -> ExitCode {
    let file = std::env::args().nth(1).expect("usage: api FILE");
    let text = std::fs::read_to_string(&file).expect("a file of rustdoc's");
    if !text.contains(FORMAT) {
        return ExitCode::from(3);
    }
    let api = Builder::from_rustdoc_json(file)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build();
    for item in api.expect("rustdoc's JSON").items() {
        println!("{item}");
    }
    ExitCode::SUCCESS
}
