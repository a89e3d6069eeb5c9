//! Programs that begin with `start!`, as their users build them: from the packaged crates, in a Cargo home without
//! anything else.
//!
//! One factor at a time, and the pairs of them that interact; with `RSYSCALL_MATRIX=all` (`ci/matrix --all`) the whole
//! product. What cannot work is named where it is left out, with the reason.

use rsyscall_tests::guest::{core_of, runner};
use rsyscall_tests::packaged::Packaged;
use rsyscall_tests::{Folder, skip};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

static PACKAGED: LazyLock<Packaged> = LazyLock::new(|| Packaged::new("start"));

const GNU: [&str; 3] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "riscv64gc-unknown-linux-gnu"];
const MUSL: [&str; 3] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "riscv64gc-unknown-linux-musl"];

/// The folder `tests/start`, copied, so that no configuration but its own is found.
fn copy(name: &str) -> Folder {
    let folder = Folder::empty(name);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("start/.");
    assert!(Command::new("cp").arg("-r").arg(here).arg(folder.path()).status().unwrap().success());
    folder
}

/// One way to build a program.
#[derive(Clone)]
struct Cell {
    target: &'static str,
    profile: &'static str,
    opt_level: &'static str,
    lto: &'static str,
    flags: &'static str,
    link: &'static str,
}

impl Cell {
    fn name(&self) -> String {
        let Self { target, profile, opt_level, lto, flags, link } = self;
        format!("{target} {profile} opt-level={opt_level} lto={lto} link={link} {flags}").trim_end().to_owned()
    }

    /// Cargo with this cell's settings, for a package in `folder`.
    fn cargo(&self, folder: &Path, command: &str) -> Command {
        let mut cargo = PACKAGED.cargo();
        cargo.arg(command).args(["--quiet", "--profile", self.profile, "--target", self.target]).current_dir(folder);
        let profile = if self.profile == "release" { "RELEASE" } else { "DEV" };
        cargo.env(format!("CARGO_PROFILE_{profile}_OPT_LEVEL"), self.opt_level);
        cargo.env(format!("CARGO_PROFILE_{profile}_LTO"), self.lto).env("RUSTFLAGS", self.flags).env("LINK", self.link);
        cargo.env("CARGO_TARGET_DIR", target_dir(self.target));
        cargo
    }

    fn program(&self, name: &str) -> PathBuf {
        let folder = if self.profile == "release" { "release" } else { "debug" };
        target_dir(self.target).join(self.target).join(folder).join(name)
    }
}

fn target_dir(target: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("start").join(target)
}

const PLAIN: Cell = Cell { target: GNU[0], profile: "dev", opt_level: "0", lto: "off", flags: "", link: "any" };

fn said(output: &Output) -> String {
    format!(
        "{:?} {}{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn succeeds(command: &mut Command, what: &str) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{what}: {}", said(&output));
}

/// How a program of a target is started; `None`, said so, where it cannot be.
fn started(target: &str, program: &Path) -> Option<Command> {
    let Some(runner) = runner(target) else {
        skip(&format!("programs for {target}"), "no emulator is installed; `ci/setup emulators` does");
        return None;
    };
    let mut command = Command::new(runner.as_deref().map_or(program, Path::new));
    if runner.is_some() {
        command.arg(program);
    }
    Some(command)
}

fn is_there(target: &str) -> bool {
    let there = core_of(target).is_some();
    if !there {
        skip(&format!("programs for {target}"), "the target's core is not installed; `ci/setup targets` does");
    }
    there
}

/// Builds the grown program and runs it.
fn grown(folder: &Folder, cell: &Cell) {
    let name = cell.name();
    // Not to take an older one for it.
    let program = cell.program("grown");
    let _not_there = std::fs::remove_file(&program);
    succeeds(&mut cell.cargo(&folder.path().join("grown"), "build"), &name);
    let Some(mut command) = started(cell.target, &program) else { return };
    let output = command.arg("a").env("X", "y").output().unwrap();
    let expected = "5 68 6 name 4 3 far=42 memory=true float=7.50 \"a\" X=Some(\"y\") page=true\n";
    assert_eq!((output.status.code(), &*output.stdout), (Some(7), expected.as_bytes()), "{name}: {}", said(&output));
    println!("ok {name}");
}

#[test]
fn a_program_that_has_grown_runs_on_each_target() {
    let folder = copy("start-targets");
    for target in GNU.into_iter().chain(MUSL) {
        if is_there(target) {
            grown(&folder, &Cell { target, ..PLAIN });
        }
    }
}

#[test]
fn an_error_and_a_panic_are_printed() {
    let folder = copy("start-errors");
    grown(&folder, &PLAIN);
    for (argument, status, text) in
        [("error", 1, "Error: Invalid argument (EINVAL)\n"), ("panic", 101, "panicked at src/main.rs:")]
    {
        let output = Command::new(PLAIN.program("grown")).arg(argument).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(status) && stderr.contains(text), "{argument}: {}", said(&output));
    }
}

#[test]
fn a_std_program_in_the_same_package_is_linked_as_ever() {
    let folder = copy("start-two");
    let two = folder.path().join("two");
    for target in [GNU[0], MUSL[0]] {
        if !is_there(target) {
            continue;
        }
        let cell = Cell { target, ..PLAIN };
        succeeds(&mut cell.cargo(&two, "build"), target);
        let big = Command::new(cell.program("big")).output().unwrap();
        assert_eq!(&*big.stdout, b"std 1\n", "{target}");
        assert_eq!(Command::new(cell.program("tiny")).status().unwrap().code(), Some(5), "{target}");
        succeeds(&mut cell.cargo(&two, "test"), target);
    }
}

#[test]
fn what_only_the_relocation_writes_is_read_only() {
    use std::os::unix::process::ExitStatusExt;
    let folder = copy("start-relro");
    succeeds(&mut PLAIN.cargo(&folder.path().join("two"), "build"), "relro");
    assert_eq!(Command::new(PLAIN.program("relro")).status().unwrap().signal(), Some(libc::SIGSEGV));
}

#[test]
fn a_program_without_start_does_not_link() {
    let folder = copy("start-forgotten");
    for target in GNU {
        if is_there(target) {
            let cell = Cell { target, ..PLAIN };
            let output = cell
                .cargo(&folder.path().join("two"), "build")
                .args(["--features", "forgotten", "--bin", "forgotten"])
                .output()
                .unwrap();
            assert!(!output.status.success() && said(&output).contains("__rsyscall_start_v1"), "{}", said(&output));
        }
    }
}
