//! Every example runs, prints something, and is listed.

use rsyscall_tests::cargo;
use std::fs;
use std::path::{Path, PathBuf};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

#[test]
fn every_example_runs() {
    for name in names("rs") {
        let mut cargo = cargo();
        cargo.args(["run", "--quiet", "--all-features", "--example", &name]).current_dir(examples());
        cargo.arg("--target-dir").arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("examples"));
        let output = cargo.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty(), "{name} prints nothing");
    }
}

#[test]
fn the_readme_lists_the_examples_and_nothing_else() {
    let list = fs::read_to_string(examples().join("README.md")).unwrap();
    let listed =
        list.lines().filter_map(|line| line.strip_prefix("| [")?.split_once(']').map(|(name, _)| name.to_owned()));
    let mut listed: Vec<_> = listed.collect();
    listed.sort();
    let mut there = names("rs");
    there.extend(names(""));
    there.sort();
    assert_eq!(listed, there);
}

/// The names in the folder: of the files with this ending, or of the folders that contain a package.
fn names(extension: &str) -> Vec<String> {
    let paths = fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| match extension {
        "" => path.join("Cargo.toml").exists(),
        _ => path.extension().is_some_and(|is| is == extension),
    });
    paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}
