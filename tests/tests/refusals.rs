//! Unsupported targets are refused when the crate is compiled, with a message that names them.

use rsyscall_tests::guest::core_of_compiler;
use rsyscall_tests::{cargo, oldest_rust, skip};
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
fn the_other_byte_order_is_refused_by_name() {
    refused("armeb-unknown-linux-gnueabi", "big-endian arm");
    refused("powerpc64-unknown-linux-musl", "big-endian powerpc64");
}

#[test]
fn architectures_without_stable_assembly_are_refused_by_name() {
    for target in ["mips-unknown-linux-gnu", "mips64el-unknown-linux-gnuabi64", "mipsisa32r6-unknown-linux-gnu"] {
        refused(target, "does not support mips");
    }
    refused("sparc64-unknown-linux-gnu", "does not support sparc");
    refused("powerpc-unknown-linux-gnu", "32-bit powerpc");
}

#[test]
fn untested_architectures_are_refused_by_name() {
    refused("riscv32gc-unknown-linux-gnu", "riscv32");
}

#[test]
fn another_architecture_is_refused() {
    refused("csky-unknown-linux-gnuabiv2", "this target's architecture");
    refused("m68k-unknown-linux-gnu", "this target's architecture");
}

#[test]
fn another_system_is_refused() {
    refused("x86_64-unknown-freebsd", "this target's operating system is not Linux");
    refused("aarch64-linux-android", "Android");
}

#[test]
fn the_supported_targets_are_not_refused() {
    for target in [
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-gnu",
        "riscv64gc-unknown-linux-gnu",
        "loongarch64-unknown-linux-gnu",
        "s390x-unknown-linux-gnu",
        "powerpc64le-unknown-linux-gnu",
        "armv7-unknown-linux-gnueabihf",
        "thumbv7neon-unknown-linux-gnueabihf",
        "armv5te-unknown-linux-gnueabi",
        "i686-unknown-linux-gnu",
    ] {
        let Some(output) = refusals(target) else { continue };
        assert!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn powerpc64_names_the_rust_that_it_needs_to_an_older_one() {
    let target = "powerpc64le-unknown-linux-gnu";
    let Some(rustc) = oldest_rust().filter(|rustc| core_of_compiler(rustc, target).is_some()) else {
        return skip(&format!("an older Rust for {target}"), "it is not installed; `ci/setup msrv` does");
    };
    let output = cargo()
        .args(["check", "--quiet", "--target", target, "--target-dir"])
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("refusals/oldest"))
        .env("RUSTC", rustc)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "accepted");
    // The message is the compiler's own; the line of ours that it shows has the version.
    assert!(said.contains("error[E0658]: inline assembly is not stable yet on this architecture"), "{said}");
    assert!(said.lines().any(|line| line.contains("asm!(") && line.contains("Rust 1.95")), "{said}");
}

fn refused(target: &str, message: &str) {
    let Some(output) = refusals(target) else { return };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{target} was accepted");
    assert_eq!(said.matches("error: rsyscall").count(), 1, "one message, not several: {said}");
    assert!(said.lines().any(|line| line.starts_with("error: rsyscall") && line.contains(message)), "{said}");
}

/// Compiles only the refusals for a target. No library of it is needed: the stand-in for `core` has the one macro that
/// they use.
fn refusals(target: &str) -> Option<Output> {
    let Ok(refusals) = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../arch/refused.rs")) else {
        skip(&format!("refusal of {target}"), "the sources are missing");
        return None;
    };
    let refusals: String =
        refusals.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect();
    assert!(refusals.contains("compile_error!"));

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
    Some(compile(&dir, target, "refusals", &format!("{head}{refusals}")))
}

fn compile(dir: &Path, target: &str, name: &str, source: &str) -> Output {
    let file: PathBuf = dir.join(format!("{name}.rs"));
    std::fs::write(&file, source).unwrap();
    Command::new(std::env::var("RUSTC").unwrap_or("rustc".into()))
        // Lets a stable compiler accept another `core`.
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
