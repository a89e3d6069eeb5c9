//! Programs that begin with `start!`, as their users build them: from the packaged crates, in an otherwise empty Cargo
//! home.
//!
//! One factor at a time, and the pairs that interact; with `RSYSCALL_MATRIX=all` (`ci/matrix --all`) the whole product.
//! A combination that cannot work is named where it is left out, with the reason.

use rsyscall_tests::guest::{core_of, runner};
use rsyscall_tests::packaged::Packaged;
use rsyscall_tests::{Folder, oldest_rust, skip};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

static PACKAGED: LazyLock<Packaged> = LazyLock::new(|| Packaged::new("start"));

const GNU: [&str; 3] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "riscv64gc-unknown-linux-gnu"];
const MUSL: [&str; 3] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "riscv64gc-unknown-linux-musl"];

/// A copy of the folder `tests/start`, so that only its own configuration is found.
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

/// The command that starts a program of a target; `None`, with a printed reason, if there is none.
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
        skip(&format!("programs for {target}"), "the target's core is not installed; `ci/setup targets` installs it");
    }
    there
}

/// Builds the grown program and runs it.
fn grown(folder: &Folder, cell: &Cell) {
    let name = cell.name();
    // So that an older one is not run instead.
    let program = cell.program("grown");
    let _not_there = std::fs::remove_file(&program);
    succeeds(&mut cell.cargo(&folder.path().join("grown"), "build"), &name);
    let Some(mut command) = started(cell.target, &program) else { return };
    let output = command.arg("a").env("X", "y").output().unwrap();
    let expected = "5 68 6 name 4 3 far=42 memory=true float=7.50 \"a\" X=Some(\"y\") page=true\n";
    assert_eq!((output.status.code(), &*output.stdout), (Some(7), expected.as_bytes()), "{name}: {}", said(&output));
    println!("ok {name}");
}

const OPT_LEVELS: [&str; 6] = ["0", "1", "2", "3", "s", "z"];
const LTO: [&str; 3] = ["off", "thin", "fat"];
const PROFILES: [&str; 2] = ["dev", "release"];
const LINKS: [&str; 3] = ["any", "bin", "fixed"];
/// Values of `RUSTFLAGS` for every target. With `--target`, Cargo does not pass it to build scripts and procedural
/// macros; without it, `relocation-model=static` and `+crt-static` reach them, and they cannot be linked so, whatever
/// the linker of the program.
const FLAGS: [&str; 8] = [
    "-Dwarnings",
    "-Crelocation-model=static",
    "-Crelocation-model=pie",
    "-Ctarget-feature=+crt-static",
    "-Ctarget-feature=+crt-static -Crelocation-model=static",
    "-Clink-arg=-Wl,-z,pack-relative-relocs",
    "-Cforce-frame-pointers=yes",
    "-Clink-dead-code",
];
/// Values for a host compiler with a linker of its own: GNU ld, lld.
const HOST_FLAGS: [&str; 3] = [
    "-Ctarget-cpu=native",
    "-Clink-arg=-fuse-ld=bfd -Clinker-features=-lld",
    "-Clinker=rust-lld -Clinker-flavor=ld.lld",
];

/// The cells of a target: each factor alone, and the pairs that interact; or the whole product.
fn cells(target: &'static str) -> Vec<Cell> {
    let plain = Cell { target, ..PLAIN };
    let release = Cell { profile: "release", opt_level: "3", ..plain.clone() };
    let flags: Vec<_> = FLAGS.into_iter().chain(HOST_FLAGS.into_iter().filter(|_| target == GNU[0])).collect();
    let mut cells = Vec::new();
    if std::env::var_os("RSYSCALL_MATRIX").is_some() {
        for profile in PROFILES {
            for opt_level in OPT_LEVELS {
                for lto in LTO {
                    for flags in flags.iter().chain([&""]) {
                        cells.extend(LINKS.map(|link| Cell { target, profile, opt_level, lto, flags, link }));
                    }
                }
            }
        }
        return cells;
    }
    cells.extend(OPT_LEVELS.map(|opt_level| Cell { opt_level, ..plain.clone() }));
    cells.extend(LINKS.map(|link| Cell { link, ..plain.clone() }));
    cells.extend(LTO.map(|lto| Cell { lto, ..release.clone() }));
    cells.extend(flags.iter().map(|flags| Cell { flags, ..plain.clone() }));
    // Link-time optimisation sees all functions at once, and each level of it treats them differently.
    for opt_level in ["0", "s", "z"] {
        cells.push(Cell { opt_level, lto: "fat", ..release.clone() });
    }
    // The relocation depends on what is linked, and the link on the flags.
    for flags in flags {
        cells.push(Cell { flags, lto: "fat", ..release.clone() });
        if flags.contains("relocation-model") || flags.contains("fuse-ld") {
            cells.push(Cell { flags, link: "fixed", ..plain.clone() });
        }
    }
    cells.push(Cell { link: "fixed", lto: "fat", opt_level: "z", ..release });
    cells
}

fn every_cell(target: &'static str) {
    if !is_there(target) {
        return;
    }
    let folder = copy(&format!("start-{target}"));
    let cells = cells(target);
    for cell in &cells {
        grown(&folder, cell);
    }
    println!("{target}: {} cells", cells.len());
}

#[test]
fn a_program_that_has_grown_runs_however_it_is_built_for_x86_64() {
    every_cell(GNU[0]);
}

#[test]
fn a_program_that_has_grown_runs_however_it_is_built_for_aarch64() {
    every_cell(GNU[1]);
}

#[test]
fn a_program_that_has_grown_runs_however_it_is_built_for_riscv64() {
    every_cell(GNU[2]);
}

#[test]
fn a_program_that_has_grown_runs_on_musl_targets() {
    let folder = copy("start-musl");
    for target in MUSL {
        if is_there(target) {
            grown(&folder, &Cell { target, ..PLAIN });
            // The core that `ci/setup` compiles for riscv64 lacks what a link-time optimisation reads.
            let lto = if target == MUSL[2] { "off" } else { "fat" };
            grown(&folder, &Cell { target, profile: "release", opt_level: "3", lto, ..PLAIN });
        }
    }
}

#[test]
fn a_program_that_has_grown_is_tested_and_linted() {
    let folder = copy("start-tests");
    let package = folder.path().join("grown");
    for (profile, opt_level, flags) in [("dev", "0", ""), ("release", "3", ""), ("dev", "0", "-Dwarnings")] {
        let cell = Cell { profile, opt_level, flags, ..PLAIN };
        let output = cell.cargo(&package, "test").output().unwrap();
        assert!(output.status.success() && said(&output).contains("4 passed"), "{}: {}", cell.name(), said(&output));
        println!("ok test {}", cell.name());
    }
    let mut clippy = PLAIN.cargo(&package, "clippy");
    succeeds(clippy.args(["--all-targets", "--", "-D", "warnings"]), "clippy");
    // Without a target, as most users build: then RUSTFLAGS reaches the build scripts and the macros as well.
    for flags in ["", "-Dwarnings", "-Ctarget-cpu=native"] {
        let mut cargo = PACKAGED.cargo();
        cargo.args(["test", "--quiet"]).current_dir(&package).env("RUSTFLAGS", flags).env_remove("LINK");
        succeeds(cargo.env("CARGO_TARGET_DIR", target_dir("host")), flags);
        println!("ok test without --target {flags}");
    }
}

#[test]
fn the_oldest_rust_builds_and_tests_it() {
    let Some(rustc) = oldest_rust() else {
        return skip("the oldest Rust", "it is not installed; `ci/setup msrv` installs it");
    };
    let folder = copy("start-oldest");
    for (command, profile, lto) in [("build", "dev", "off"), ("build", "release", "fat"), ("test", "dev", "off")] {
        let cell = Cell { profile, lto, ..PLAIN };
        let mut cargo = cell.cargo(&folder.path().join("grown"), command);
        succeeds(
            cargo.env("RUSTC", &rustc).env("CARGO_TARGET_DIR", target_dir("oldest")),
            &format!("{command} {}", cell.name()),
        );
        println!("ok oldest {command} {}", cell.name());
    }
    let program = target_dir("oldest").join(GNU[0]).join("release/grown");
    assert_eq!(Command::new(program).status().unwrap().code(), Some(7));
}

#[test]
fn a_member_of_a_workspace_builds_under_another_name_of_the_crate() {
    let folder = copy("start-member");
    let member = folder.path().join("grown");
    let change = |file: &str, change: &dyn Fn(String) -> String| {
        let text = std::fs::read_to_string(member.join(file)).unwrap();
        std::fs::write(member.join(file), change(text)).unwrap();
    };
    // The profiles belong to the root.
    let root = "[workspace]\nmembers = [\"grown\"]\nresolver = \"3\"\n[profile.dev]\npanic = \"abort\"\n";
    folder.write("Cargo.toml", root);
    change("Cargo.toml", &|text| {
        let text = text.split("[profile.dev]").next().unwrap().to_owned();
        text.replace("rsyscall = \"0.1\"", "another = { package = \"rsyscall\", version = \"0.1\" }")
            .replace("rsyscall-build = \"0.1\"", "other-build = { package = \"rsyscall-build\", version = \"0.1\" }")
    });
    change("build.rs", &|text| text.replace("rsyscall_build::", "other_build::"));
    change("src/main.rs", &|text| text.replace("rsyscall::", "another::"));
    let text = std::fs::read_to_string(member.join("src/main.rs")).unwrap();
    assert!(text.contains("another::start!(main") && !text.contains("rsyscall::"));
    grown(&folder, &PLAIN);
    succeeds(&mut PLAIN.cargo(&member, "test"), "a member's test");
}

/// The rule of the relocation in `src/start/arch/mod.rs`: nothing that it reads is itself relocated. Every address in
/// the entry is relative to the instruction, and belongs to this program.
#[test]
fn the_entry_names_only_addresses_relative_to_itself() {
    use object::{Object, ObjectSection, ObjectSymbol, RelocationFlags, RelocationTarget};
    // `include/uapi/linux/elf.h` of each architecture's ABI: the relocations that a linker resolves completely.
    let relative: [&[u32]; 3] = [
        &[2, 4],               // R_X86_64_PC32, R_X86_64_PLT32 (a call)
        &[274, 275, 277, 283], // R_AARCH64_ADR_PREL_LO21, _PG_HI21, ADD_ABS_LO12_NC, CALL26
        &[18, 19, 23, 24, 51], // R_RISCV_CALL, _CALL_PLT, _PCREL_HI20, _PCREL_LO12_I, _RELAX
    ];
    let folder = copy("start-object");
    for (target, relative) in GNU.into_iter().zip(relative) {
        if !is_there(target) {
            continue;
        }
        for profile in PROFILES {
            let cell = Cell { target, profile, ..PLAIN };
            let objects = target_dir("object").join(target).join(profile);
            let mut rustc = cell.cargo(&folder.path().join("two"), "rustc");
            rustc.args(["--bin", "tiny", "--", "--emit=obj", "-Ccodegen-units=1", "-o"]).arg(objects.join("tiny"));
            std::fs::create_dir_all(&objects).unwrap();
            succeeds(&mut rustc, target);
            let files = std::fs::read_dir(&objects).unwrap().map(|file| file.unwrap().path());
            let file = files.into_iter().find(|file| file.extension().is_some_and(|is| is == "o")).unwrap();
            let bytes = std::fs::read(&file).unwrap();
            let object = object::File::parse(&*bytes).unwrap();
            let section = object.section_by_name(".text.__rsyscall_start").unwrap();
            let mut names = Vec::new();
            for (offset, relocation) in section.relocations() {
                let RelocationFlags::Elf { r_type } = relocation.flags() else { panic!("{target}: not ELF") };
                assert!(relative.contains(&r_type), "{target} {profile}: type {r_type} at {offset:#x}");
                let RelocationTarget::Symbol(symbol) = relocation.target() else { continue };
                names.push(object.symbol_by_index(symbol).unwrap().name().unwrap_or_default().to_owned());
            }
            // Its own functions, its header, labels in it; nothing of another module.
            let known = |name: &String| {
                name.is_empty()
                    || name.starts_with('.')
                    || name.contains("__rsyscall_")
                    || name == "__ehdr_start"
                    || name == "__global_pointer$"
                    || name.starts_with("_start")
            };
            assert!(names.iter().all(known) && names.iter().any(|name| name == "__ehdr_start"), "{target}: {names:?}");
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
fn a_std_program_in_the_same_package_is_linked_as_usual() {
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

/// A descriptor that the program creates must not become a standard descriptor.
#[test]
fn closed_standard_descriptors_are_opened_first() {
    let folder = copy("start-closed");
    for target in GNU {
        if !is_there(target) {
            continue;
        }
        let cell = Cell { target, ..PLAIN };
        succeeds(cell.cargo(&folder.path().join("two"), "build").args(["--bin", "closed"]), target);
        let program = cell.program("closed");
        let Some(command) = started(target, &program) else { continue };
        let line: Vec<_> = [command.get_program()].into_iter().chain(command.get_args()).collect();
        for closed in ["<&- >&- 2>&-", ">&-", "<&- 2>&-", "</dev/null >/dev/null 2>&1"] {
            let script = format!("exec \"$@\" {closed}");
            // The test's own input may be anything.
            let input = if closed.contains('<') { Stdio::inherit() } else { Stdio::null() };
            let status = Command::new("sh").args(["-c", &script, "sh"]).args(&line).stdin(input).status().unwrap();
            assert_eq!(status.code(), Some(3), "{target} {closed}");
        }
    }
    // Without /dev/null, as in an initramfs.
    let root = Folder::empty("start-closed-root");
    std::fs::copy(PLAIN.program("closed"), root.path().join("closed")).unwrap();
    let script = "exec chroot \"$0\" /closed <&- >&- 2>&-";
    let status = Command::new("sh").args(["-c", script]).arg(root.path()).status().unwrap();
    // SAFETY: a query.
    if unsafe { libc::geteuid() } != 0 {
        return rsyscall_tests::cannot("a root without /dev/null", "chroot needs root");
    }
    assert_eq!(status.code(), Some(3), "without /dev/null");
}

#[test]
fn a_panic_handler_and_memory_functions_of_its_own_replace_the_crates() {
    let folder = copy("start-own");
    for target in GNU {
        if !is_there(target) {
            continue;
        }
        let cell = Cell { target, ..PLAIN };
        succeeds(cell.cargo(&folder.path().join("two"), "build").args(["--bin", "own"]), target);
        let Some(mut command) = started(target, &cell.program("own")) else { continue };
        assert_eq!(command.status().unwrap().code(), Some(12), "{target}: both were called");
    }
}

#[test]
fn main_may_have_any_of_these_signatures() {
    use rsyscall::start::{Arguments, Main};
    use rsyscall::sys::listen_fds::ListenFds;
    use rsyscall::sys::stdio::Stdio as Standard;
    use rsyscall::{Errno, remote, sysif, task};

    fn is_main<T>(_: impl Main<T>) {}
    is_main(|| ());
    is_main(|| 3);
    is_main((|| panic!()) as fn() -> !);
    is_main(|_: Arguments| Ok::<(), Errno>(()));
    is_main(|_: Standard| Ok::<i32, sysif::Error>(0));
    is_main(|_: Arguments, _: Standard| Err::<(), _>(remote::ServeError::Vanished));
    is_main(|_: Result<ListenFds<'static>, Errno>, _: Arguments| Ok::<(), task::FdTableMismatch>(()));
    is_main(|_: Standard, _: Arguments| Ok::<(), core::fmt::Error>(()));
}

#[test]
fn memory_that_only_the_relocation_writes_is_read_only() {
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

/// The kernel chooses another address at each boot, as PID 1 too.
#[test]
fn main_is_not_at_the_same_address_in_all_of_three_boots() {
    let folder = copy("start-boots");
    let boot = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci/boot");
    for target in GNU {
        let arch = target.split('-').next().unwrap().replace("riscv64gc", "riscv64");
        if !is_there(target) {
            continue;
        }
        let cell = Cell { target, ..PLAIN };
        succeeds(cell.cargo(&folder.path().join("two"), "build").args(["--bin", "where"]), target);
        let addresses: Vec<_> = (0..3)
            .map(|_| {
                let output =
                    Command::new(&boot).args([&arch, "6.12"]).arg(cell.program("where")).arg("180").output().unwrap();
                (output.status.code(), said(&output))
            })
            .collect();
        if addresses[0].0 == Some(2) && addresses[0].1.contains("next: ci/setup") {
            skip(
                &format!("{arch} as PID 1"),
                "no kernel or no emulator is installed; `ci/setup emulators kernels` does",
            );
            continue;
        }
        let address = |said: &str| {
            said.split("main is at ").nth(1).map(|rest| rest.split_whitespace().next().unwrap().to_owned())
        };
        let addresses: Vec<_> =
            addresses.iter().map(|(_, said)| address(said).unwrap_or_else(|| panic!("{said}"))).collect();
        println!("{arch}: {addresses:?}");
        assert!(addresses.iter().any(|address| *address != addresses[0]), "{arch}: {addresses:?}");
    }
}

/// Unused parts are absent: memory functions, formatting, the relocation table.
#[test]
fn unused_parts_cost_nothing() {
    use object::{Object, ObjectSymbol};
    let folder = copy("start-unused");
    for target in GNU {
        if !is_there(target) {
            continue;
        }
        let cell = Cell { target, profile: "release", opt_level: "s", lto: "fat", ..PLAIN };
        succeeds(cell.cargo(&folder.path().join("two"), "build").args(["--bin", "tiny"]), target);
        let bytes = std::fs::read(cell.program("tiny")).unwrap();
        let object = object::File::parse(&*bytes).unwrap();
        let symbols = object.symbols().filter(|symbol| symbol.is_definition() && symbol.size() > 0);
        let names: Vec<_> = symbols.map(|symbol| symbol.name().unwrap().to_owned()).collect();
        let unwanted = ["mem", "bcmp", "strlen", "fmt", "panic", "personality", "Unwind", "fixed", "getauxval"];
        let found: Vec<_> = names.iter().filter(|name| unwanted.iter().any(|word| name.contains(word))).collect();
        assert!(found.is_empty() && !names.is_empty(), "{target}: {names:?}");
    }
}
