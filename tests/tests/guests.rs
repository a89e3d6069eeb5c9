//! Builds the static programs as users do, in every profile, and inspects the result.

use rsyscall_tests::guest::{Profile, TARGETS, build, core_of};
use rsyscall_tests::skip;
use std::path::Path;

const EVERY_PROFILE: [(&str, &str); 10] = [
    ("1", "off"),
    ("1", "fat"),
    ("2", "off"),
    ("2", "fat"),
    ("3", "off"),
    ("3", "fat"),
    ("s", "off"),
    ("s", "fat"),
    ("z", "off"),
    ("z", "fat"),
];

fn targets() -> impl Iterator<Item = &'static str> {
    TARGETS.into_iter().filter(|target| {
        let there = core_of(target).is_some();
        if !there {
            skip(&format!("guests for {target}"), "the target's core is not installed; `ci/setup targets` installs it");
        }
        there
    })
}

fn target_dir() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

#[test]
fn the_guest_has_no_undefined_symbol_no_panic_and_no_memcpy() {
    for target in targets() {
        let guest = build("examples/guest", "guest", target, Profile(None), target_dir());
        assert_eq!(guest.undefined(), Vec::<String>::new(), "{target}");
        assert!(!guest.is_dynamic(), "{target}");
        let unwanted: Vec<_> = guest
            .functions()
            .into_iter()
            .filter(|name| {
                ["panicking", "expect_failed", "unwrap_failed", "memcpy", "memmove", "memset", "memcmp"]
                    .iter()
                    .any(|word| name.contains(word))
            })
            .collect();
        assert_eq!(unwanted, Vec::<String>::new(), "{target}: {:?}", guest.path);
    }
}

#[test]
fn the_guest_links_in_every_profile() {
    for target in targets() {
        for profile in [("1", "off"), ("3", "off"), ("3", "fat"), ("z", "off")] {
            let guest = build("examples/guest", "guest", target, Profile(Some(profile)), target_dir());
            assert_eq!(guest.undefined(), Vec::<String>::new(), "{target} {profile:?}");
        }
    }
}

#[test]
fn on_x86_64_the_typed_program_is_within_a_twentieth_of_bare_assembly_and_300_bytes() {
    let target = TARGETS[0];
    if core_of(target).is_none() {
        return skip("size on x86_64", "the target's core is not installed; `ci/setup targets` installs it");
    }
    for profile in EVERY_PROFILE {
        let [typed, bare] = ["typed", "bare"]
            .map(|name| build("tests/size", name, target, Profile(Some(profile)), target_dir()).text());
        println!("text on x86_64, opt-level and lto {profile:?}: typed {typed}, bare {bare}");
        assert!(typed * 100 <= bare * 105, "{profile:?}: typed {typed}, bare {bare}");
        assert!(typed <= 300, "{profile:?}: {typed}");
    }
}

#[test]
fn the_typed_program_succeeds() {
    if !cfg!(target_arch = "x86_64") {
        return skip("running the typed program", "it is built for x86_64");
    }
    let typed = build("tests/size", "typed", TARGETS[0], Profile(None), target_dir());
    assert!(std::process::Command::new(typed.path).status().unwrap().success());
}
