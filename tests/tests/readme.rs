//! The files and commands of the README, used in an empty folder with the packaged crates.

use rsyscall_tests::guest::{TARGETS, core_of, run, runner};
use rsyscall_tests::packaged::Packaged;
use rsyscall_tests::{Folder, skip};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

static PACKAGED: LazyLock<Packaged> = LazyLock::new(|| Packaged::new("readme"));

fn readme() -> String {
    // As it is published, too.
    fs::read_to_string(PACKAGED.source("rsyscall").join("README.md")).unwrap()
}

/// The three files in an empty folder.
fn pasted(name: &str) -> Folder {
    let folder = Folder::empty(name);
    for (name, text) in files(&readme()) {
        folder.write(name, text);
    }
    folder
}

#[test]
fn the_program_is_three_files_of_at_most_35_lines_without_unsafe() {
    let readme = readme();
    let files = files(&readme);
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["Cargo.toml", "build.rs", "src/main.rs"]);
    let lines: usize = files.iter().map(|(_, text)| text.lines().count()).sum();
    assert!(lines <= 35, "{lines} lines");
    assert!(files.iter().all(|(_, text)| !text.contains("unsafe")));
}

#[test]
fn the_program_builds_and_runs_on_each_target() {
    let folder = pasted("readme");
    for target in TARGETS {
        if core_of(target).is_none() {
            let reason = "the target's core is not installed; `ci/setup targets` installs it";
            skip(&format!("the README's program for {target}"), reason);
            continue;
        }
        for profile in ["dev", "release"] {
            let mut cargo = PACKAGED.cargo();
            cargo.args(["build", "--profile", profile, "--target", target]).current_dir(folder.path());
            let output = cargo.output().unwrap();
            assert!(output.status.success(), "{target}: {}", String::from_utf8_lossy(&output.stderr));
            let directory = if profile == "dev" { "debug" } else { profile };
            let program = folder.path().join("target").join(target).join(directory).join("hello");
            assert!(is_static(&program), "{target}");
            if let Some(output) = run("the README's program", target, &program) {
                assert_eq!((output.status.code(), &*output.stdout), (Some(0), &b"5\n"[..]), "{target} {profile}");
            }
        }
    }
}

#[test]
fn the_program_is_tested_and_linted_unchanged() {
    let folder = pasted("readme-tests");
    for command in [&["test"][..], &["clippy", "--all-targets", "--", "-D", "warnings"]] {
        let output = PACKAGED.cargo().args(command).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The commands, unchanged; `rustup` and `sudo` are left out: `ci/setup` has done what they do.
#[test]
fn the_commands_for_another_architecture_work() {
    const CASE: &str = "the README's commands for another architecture";
    if core_of("aarch64-unknown-linux-gnu").is_none() || core_of("aarch64-unknown-linux-musl").is_none() {
        return skip(CASE, "the target's core is not installed; `ci/setup targets` installs it");
    }
    if runner("aarch64-unknown-linux-gnu").is_none() {
        return skip(CASE, "no emulator is installed; `ci/setup emulators` does");
    }
    let folder = pasted("readme-commands");
    let readme = readme();
    let program = readme.split("\n## A program\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let blocks = program.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let script: String = ["rustup() { :; }\nsudo() { :; }\n"].into_iter().chain(blocks).collect();
    assert!(
        script.contains("cargo run --target aarch64") && script.contains("cargo test --target aarch64"),
        "{script}"
    );
    let stdout = typed(&folder, &script);
    assert!(stdout.starts_with("5\n") && stdout.contains("test result: ok"), "{stdout}");
}

/// In a new package: the command, then the program.
#[test]
fn the_program_with_std_runs() {
    let folder = Folder::empty("readme-std");
    let readme = readme();
    let section = readme.split("\n## With std\n").nth(1).unwrap().split("\n## ").next().unwrap();
    typed(&folder, "cargo init --quiet --vcs none --name with-std");
    typed(&folder, block(section, "sh"));
    folder.write("src/main.rs", block(section, "rust"));
    typed(&folder, "cargo run --quiet");
}

/// The first code block of a language.
fn block<'t>(text: &'t str, language: &str) -> &'t str {
    let opened = format!("```{language}\n");
    text.split(&opened).nth(1).unwrap().split("```").next().unwrap()
}

/// Runs a script with this Cargo's environment, whatever that is, as on the command line. Returns what it prints.
fn typed(folder: &Folder, script: &str) -> String {
    let mut bash = Command::new("bash");
    for (name, value) in PACKAGED.cargo().get_envs() {
        match value {
            Some(value) => bash.env(name, value),
            None => bash.env_remove(name),
        };
    }
    let output = bash.args(["-ec", script]).current_dir(folder.path()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {stdout}{stderr}");
    stdout.into_owned()
}

/// The folders of the repository that a text can name.
const FOLDERS: [&str; 7] = ["benches", "build", "ci", "examples", "fuzz", "src", "tests"];

/// The files that documentation tells a reader to copy, run or read are in the package, or its section says that they
/// are in the repository.
#[test]
fn the_package_contains_the_files_that_the_documentation_names() {
    let package = PACKAGED.source("rsyscall");
    let mut texts = vec![("README.md".to_owned(), readme())];
    let mut files = Vec::new();
    collect(&package, &mut files);
    for file in files {
        let name = file.strip_prefix(&package).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap_or_default();
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("md") if name != "README.md" => texts.push((name, text)),
            Some("rs") => {
                let is_doc = |line: &&str| line.starts_with("//!") || line.starts_with("///");
                let doc: Vec<_> = text.lines().map(str::trim_start).filter(is_doc).map(|line| &line[3..]).collect();
                texts.push((name, doc.join("\n")));
            }
            _ => {}
        }
    }
    let missing: Vec<_> = texts.iter().flat_map(|(name, text)| missing(&package, name, text)).collect();
    assert!(missing.is_empty(), "named, not in the package, and not said to be in the repository: {missing:#?}");
    // It finds files that exist, and files that do not.
    assert_eq!(
        self::missing(&package, "a", "see `src/lib.rs`, examples/counter.rs. And `cargo run --example counter`"),
        [""; 0]
    );
    assert_eq!(self::missing(&package, "a", "run ci/test\n## B\nin the repository: ci/test"), ["a: ci/test"]);
    assert_eq!(self::missing(&package, "a", "`cargo run --example nothing`"), ["a: --example nothing"]);
}

fn collect(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, found) } else { found.push(path) }
    }
}

/// The paths that a text names and the package does not have, outside sections about the repository.
fn missing(package: &Path, name: &str, text: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for section in text.split("\n#").filter(|section| !section.contains("repository")) {
        // What is between backticks, brackets and blanks, without the full stop.
        let words = section
            .split(|c: char| c.is_whitespace() || "`()[]\"'|,;".contains(c))
            .map(|word| word.trim_end_matches(['.', ':']));
        let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
        for (index, word) in words.iter().enumerate() {
            let is_path =
                word.split_once('/').is_some_and(|(first, rest)| FOLDERS.contains(&first) && !rest.is_empty());
            if is_path && !word.contains(['*', '…', '$']) && !package.join(word).exists() {
                missing.push(format!("{name}: {word}"));
            }
            if *word == "--example"
                && words.get(index + 1).is_some_and(|name| {
                    *name != "NAME" && !package.join("examples").join(format!("{name}.rs")).exists()
                })
            {
                missing.push(format!("{name}: --example {}", words[index + 1]));
            }
        }
    }
    missing
}

/// The code blocks that have a file's name, in bold, on the line before.
fn files(readme: &str) -> Vec<(&str, &str)> {
    let mut files = Vec::new();
    for part in readme.split("\n**").skip(1) {
        let Some((name, rest)) = part.split_once("**\n```") else { continue };
        let code = rest.split_once('\n').expect("a block").1;
        files.push((name, code.split_once("```").expect("the block's end").0));
    }
    files
}

/// Whether it requests no dynamic linker.
fn is_static(program: &Path) -> bool {
    use object::{Object, ObjectSection};
    let bytes = fs::read(program).unwrap();
    let object = object::File::parse(&*bytes).unwrap();
    object.sections().all(|section| section.name() != Ok(".interp"))
}
