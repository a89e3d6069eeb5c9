//! Programs that must not compile fail with the error that they name, and compile once that error is fixed.
//!
//! The programs are those of tests/misuse. Each marks the line of its error, `//~ error[E0382]` (`//~^` for the line
//! above). The compiler's text is not compared, since it changes from version to version; codes and places hardly do.
//! With `--cfg fixed` every program must compile: it has no other error. (`compile_fail` examples would compare codes
//! only with a nightly compiler; and a check does not report an error of code generation, such as that of a seventh
//! argument.)

use rsyscall::Current;
use rsyscall_suite::Environment;
use rsyscall_tests::{cargo, skip};
use std::path::{Path, PathBuf};
use std::process::Output;

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("misuse")
}

/// Builds all of the programs, and continues after errors.
fn build(name: &str, flags: &str) -> Output {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut cargo = cargo();
    cargo.args(["build", "--bins", "--keep-going", "--quiet", "--message-format=short"]).current_dir(package());
    cargo.env("RUSTFLAGS", flags).arg("--target-dir").arg(target).output().expect("cargo")
}

/// The expectations of a program: its name, the line that is marked unless the error is elsewhere, and the error.
struct Expected {
    name: String,
    line: Option<usize>,
    error: String,
}

fn expected() -> Vec<Expected> {
    let mut programs = Vec::new();
    for file in std::fs::read_dir(package().join("src/bin")).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let marks: Vec<_> =
            (1..).zip(text.lines()).filter_map(|(n, line)| Some((n, line.split_once("//~")?.1))).collect();
        let [(line, mark)] = marks[..] else { panic!("{name} must mark one line, not {}", marks.len()) };
        let (line, mark) = mark.strip_prefix('^').map_or((line, mark), |mark| (line - 1, mark));
        let mark = mark.trim();
        let elsewhere = mark.strip_prefix("anywhere ");
        let error = elsewhere.unwrap_or(mark).to_owned();
        programs.push(Expected { name, line: elsewhere.is_none().then_some(line), error });
    }
    programs
}

#[test]
fn invalid_programs_fail_to_compile_with_the_error_they_name() {
    if Environment::is_emulated(Current) {
        return skip("invalid_programs_fail_to_compile_with_the_error_they_name", "the compiler is the host's");
    }
    let said = String::from_utf8(build("misuse", "").stderr).unwrap();
    let programs = expected();
    assert!(programs.len() >= 20, "{} programs", programs.len());
    for Expected { name, line, error } in &programs {
        assert!(said.contains(&format!("(bin \"{name}\") due to 1 previous error")), "{name}:\n{said}");
        let place = line.map_or(String::new(), |line| format!("src/bin/{name}.rs:{line}:"));
        let found = said.lines().any(|said| said.starts_with(&place) && said.contains(&format!(": {error}")));
        assert!(found, "{name}: no {error} at {place}\n{said}");
    }
}

#[test]
fn invalid_programs_compile_once_their_error_is_fixed() {
    if Environment::is_emulated(Current) {
        return skip("invalid_programs_compile_once_their_error_is_fixed", "the compiler is the host's");
    }
    let output = build("misuse-fixed", "--cfg fixed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
