//! Counts the instructions that a pair of calls executes, by callgrind: exact, whatever the load of the machine.

use rsyscall_tests::{cargo, skip};
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn a_write_and_a_read_execute_no_more_instructions_than_by_hand() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return skip("instructions of a write and a read", "valgrind is not installed; `ci/setup tools` installs it");
    }
    let pairs = build();
    let (typed, hand) = (per_pair(&pairs, "typed"), per_pair(&pairs, "hand"));
    println!("instructions per write and read: typed {typed}, by hand {hand}");
    assert!(typed <= hand, "typed {typed}, by hand {hand}");
}

#[test]
fn a_remote_call_of_words_is_less_than_200_instructions_of_the_client() {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return skip("instructions of a remote call", "valgrind is not installed; `ci/setup tools` installs it");
    }
    let count = per_pair(&build(), "remote");
    println!("instructions per remote call: {count}");
    // A client that checks nothing and keeps nothing takes 23.
    assert!(count < 200.0, "{count}");
}

fn build() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("codegen");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pairs");
    let output = cargo()
        .args(["build", "--release", "--example", "pairs", "--target-dir"])
        .arg(&target)
        .current_dir(package)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    target.join("release/examples/pairs")
}

fn per_pair(program: &Path, how: &str) -> f64 {
    const PAIRS: u64 = 10_000;
    let once = collected(program, how, PAIRS);
    let twice = collected(program, how, 2 * PAIRS);
    (twice - once) as f64 / PAIRS as f64
}

fn collected(program: &Path, how: &str, pairs: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([how, &pairs.to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // The count of the program itself comes last, after those of its children.
    let collected = said.lines().rev().find_map(|line| line.split_once("Collected : ")).expect(&said).1;
    collected.trim().parse().unwrap()
}
