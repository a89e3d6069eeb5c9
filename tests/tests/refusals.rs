//! What is not supported is refused when it is compiled, with a message that names it.

use rsyscall_tests::skip;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[test]
fn x32_is_refused_by_name() {
    refused("x86_64-unknown-linux-gnux32", "x32");
}

#[test]
fn aarch64_ilp32_is_refused_by_name() {
    refused("aarch64-unknown-linux-gnu_ilp32", "ILP32");
}

#[test]
fn big_endian_aarch64_is_refused_by_name() {
    refused("aarch64_be-unknown-linux-gnu", "big-endian aarch64");
}

#[test]
fn another_architecture_is_refused() {
    refused("i686-unknown-linux-gnu", "this target's architecture has no file in arch/");
}

#[test]
fn another_system_is_refused() {
    refused("x86_64-unknown-freebsd", "this target's operating system is not Linux");
}

#[test]
fn the_supported_targets_are_not_refused() {
    for target in ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-gnu", "riscv64gc-unknown-linux-gnu"] {
        let Some(output) = refusals(target) else { continue };
        assert!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

fn refused(target: &str, message: &str) {
    let Some(output) = refusals(target) else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{target} was accepted");
    assert_eq!(said.matches("error: rsyscall").count(), 1, "one message, not several: {said}");
    assert!(said.lines().any(|line| line.starts_with("error: rsyscall") && line.contains(message)), "{said}");
}

/// Compiles the refusals of `arch/mod.rs`, and only them, for a target. No library of it is needed: what stands for `core`
/// has the one macro that they use.
fn refusals(target: &str) -> Option<Output> {
    let Ok(contract) = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../arch/mod.rs")) else {
        skip(&format!("refusal of {target}"), "the sources are not here");
        return None;
    };
    let lines: Vec<_> = contract.lines().collect();
    let refusals = lines.windows(2).filter(|pair| pair[1].starts_with("compile_error!")).map(|pair| pair.join("\n"));
    let refusals: Vec<_> = refusals.collect();
    assert_eq!(refusals.len(), contract.matches("compile_error!").count());

    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refusals").join(target);
    std::fs::create_dir_all(&dir).unwrap();
    let stand_in = compile(
        &dir,
        target,
        "stand_in",
        "#![feature(no_core, rustc_attrs)]\n#![no_core]\n#![allow(internal_features)]\n\
         #[rustc_builtin_macro]\n#[macro_export]\nmacro_rules! compile_error { ($message:expr $(,)?) => {{}} }",
    );
    assert!(stand_in.status.success(), "{}", String::from_utf8_lossy(&stand_in.stderr));
    let head = "#![feature(no_core)]\n#![no_core]\n#[macro_use]\nextern crate stand_in;\n";
    Some(compile(&dir, target, "refusals", &format!("{head}{}", refusals.join("\n"))))
}

fn compile(dir: &Path, target: &str, name: &str, source: &str) -> Output {
    let file: PathBuf = dir.join(format!("{name}.rs"));
    std::fs::write(&file, source).unwrap();
    Command::new(std::env::var("RUSTC").unwrap_or("rustc".into()))
        // What makes a `core` of one's own possible with a stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "--target",
            target,
            "--crate-name",
            name,
        ])
        .arg("-L")
        .arg(dir)
        .arg("--out-dir")
        .arg(dir)
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}
