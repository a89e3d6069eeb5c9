//! Reads the machine code that users get: `tests/codegen` is compiled for each architecture, and its functions are
//! checked.
//!
//! Emulators preserve the registers that real kernels destroy, so no other test shows these faults.

use rsyscall_tests::guest::core_of;
use rsyscall_tests::{cargo, skip};
use std::path::Path;

#[test]
fn x86_64_makes_a_checked_write_and_read_in_no_more_instructions_than_by_hand() {
    no_more_than_by_hand("x86_64-unknown-linux-gnu");
}

#[test]
fn aarch64_makes_a_checked_write_and_read_in_no_more_instructions_than_by_hand() {
    no_more_than_by_hand("aarch64-unknown-linux-gnu");
}

#[test]
fn riscv64_makes_a_checked_write_and_read_in_no_more_instructions_than_by_hand() {
    no_more_than_by_hand("riscv64gc-unknown-linux-gnu");
}

#[test]
fn loongarch64_makes_a_checked_write_and_read_in_no_more_instructions_than_by_hand() {
    no_more_than_by_hand("loongarch64-unknown-linux-gnu");
}

#[test]
fn s390x_makes_a_checked_write_and_read_in_no_more_instructions_than_by_hand() {
    no_more_than_by_hand("s390x-unknown-linux-gnu");
}

#[test]
fn powerpc64_makes_a_checked_write_and_read_in_no_more_instructions_than_by_hand() {
    no_more_than_by_hand("powerpc64le-unknown-linux-gnu");
}

#[test]
fn arm_makes_a_checked_write_and_read_in_no_more_instructions_than_by_hand() {
    for target in ARM {
        no_more_than_by_hand(target);
    }
}

#[test]
fn i686_makes_a_checked_write_and_read_in_no_more_instructions_than_by_hand() {
    no_more_than_by_hand("i686-unknown-linux-gnu");
}

const ARM: [&str; 3] =
    ["armv7-unknown-linux-gnueabihf", "thumbv7neon-unknown-linux-gnueabihf", "armv5te-unknown-linux-gnueabi"];

#[test]
fn powerpc64_counts_no_loop_in_a_register_that_a_call_destroys() {
    let Some(code) = compile("powerpc64le-unknown-linux-gnu", "") else { return };
    let counts = |function: &str| instructions(&code, function).iter().any(|i| i.name.starts_with("bdn"));
    assert!(!counts("counted"), "{:#?}", instructions(&code, "counted"));
    // The reader also finds the fault in code that has it.
    assert!(counts("counted_undeclared"), "{:#?}", instructions(&code, "counted_undeclared"));
}

#[test]
fn loongarch64_keeps_nothing_across_a_call_in_t0_to_t8() {
    let Some(code) = compile("loongarch64-unknown-linux-gnu", "") else { return };
    let function = instructions(&code, "many_across");
    assert_eq!(stale(&function, 't'), Vec::<String>::new(), "{function:#?}");
    let undeclared = instructions(&code, "many_across_undeclared");
    assert!(!stale(&undeclared, 't').is_empty(), "the reader would not have seen the fault: {undeclared:#?}");
}

#[test]
fn arm_restores_r7_after_every_call() {
    for (target, flags) in ARM.iter().flat_map(|target| ["", "-Cforce-frame-pointers=yes"].map(|flags| (target, flags)))
    {
        let Some(code) = compile(target, flags) else { continue };
        let function = instructions(&code, "every_arity");
        assert_eq!(r7_after_calls(&function), [true; 7], "{target} {flags}: {function:#?}");
        // The same reader finds the fault where it is.
        let undeclared = instructions(&code, "close_undeclared");
        assert_eq!(r7_after_calls(&undeclared), [false], "{target} {flags}: {undeclared:#?}");
    }
}

/// Of each call of a function, whether r7 is kept before it and given back after it.
fn r7_after_calls(function: &[Instruction]) -> Vec<bool> {
    let moves = |i: &Instruction, to: &str| i.name.starts_with("mov") && i.operands.first().is_some_and(|o| o == to);
    let of = |i: &Instruction, from: &str| i.operands.get(1).is_some_and(|o| o == from);
    let calls = (0..function.len()).filter(|n| function[*n].name == "svc");
    calls
        .map(|call| {
            let Some([keep, number, _, restore]) = call.checked_sub(2).and_then(|from| function.get(from..call + 2))
            else {
                return false;
            };
            let kept = &keep.operands[0];
            moves(keep, kept) && of(keep, "r7") && moves(number, "r7") && moves(restore, "r7") && of(restore, kept)
        })
        .collect()
}

#[test]
fn i686_balances_its_stack_around_every_call() {
    for level in ["0", "1", "3", "z"] {
        let Some(code) = compile("i686-unknown-linux-gnu", &format!("-Copt-level={level}")) else { return };
        let fault = body(&code, "unbalanced").unwrap();
        let calls = pushes_and_pops(&code.replace(fault, ""));
        assert!(calls.len() >= 7, "opt-level {level}: {calls:?}");
        assert!(calls.iter().any(|(pushes, _)| *pushes > 0), "opt-level {level}: {calls:?}");
        assert!(calls.iter().all(|(pushes, pops)| pushes == pops), "opt-level {level}: {calls:?}");
        // The same reader finds the fault where it is.
        assert_eq!(pushes_and_pops(fault), [(1, 0)], "opt-level {level}: {fault}");
    }
}

/// How often each call, in its own block of assembly, pushes and pops.
fn pushes_and_pops(code: &str) -> Vec<(usize, usize)> {
    let blocks = code.split("#APP").skip(1).map(|rest| parse(rest.split("#NO_APP").next().unwrap()));
    let count = |block: &[Instruction], name: &str| block.iter().filter(|i| i.name.starts_with(name)).count();
    let calls = blocks.filter(|block| count(block, "int") > 0);
    calls.map(|block| (count(&block, "push"), count(&block, "pop"))).collect()
}

#[test]
fn riscv64_with_v_keeps_no_vector_across_a_call() {
    let functions = ["vector_across_write", "vector_across_yield"];
    no_vector_across("riscv64gc-unknown-linux-gnu", "-Ctarget-feature=+v", "ecall", 'v', &functions);
}

#[test]
fn aarch64_with_sve_keeps_no_vector_across_a_call() {
    let wide = "-Cllvm-args=-aarch64-sve-vector-bits-min=256";
    let flags = format!("-Ctarget-feature=+sve {wide}");
    let functions = ["vector_across_write", "vector_across_write_from_sve", "vector_across_yield"];
    no_vector_across("aarch64-unknown-linux-gnu", &flags, "svc", 'z', &functions);
}

#[test]
fn aarch64_without_sve_keeps_no_vector_across_a_call_of_a_caller_that_has_it() {
    let wide = "-Cllvm-args=-aarch64-sve-vector-bits-min=256";
    let Some(code) = compile("aarch64-unknown-linux-gnu", wide) else { return };
    let function = instructions(&code, "vector_across_write_from_sve");
    assert!(uses(&function, 'z'), "no SVE register in it, so the test shows nothing: {function:#?}");
    assert_eq!(stale(&function, 'z'), Vec::<String>::new());
}

fn no_more_than_by_hand(target: &str) {
    let Some(code) = compile(target, "") else { return };
    let hand = instructions(&code, "hand_write_read");
    for function in ["typed_write_read", "generic_write_read"] {
        // Identical functions may have been merged.
        let Some(typed) = body(&code, function) else { continue };
        let typed = parse(typed);
        assert!(typed.len() <= hand.len(), "{function}: {} for {}\n{typed:#?}\n{hand:#?}", typed.len(), hand.len());
    }
    assert!(body(&code, "typed_write_read").or(body(&code, "generic_write_read")).is_some());
}

fn no_vector_across(target: &str, flags: &str, call: &str, register: char, functions: &[&str]) {
    let Some(code) = compile(target, flags) else { return };
    for name in functions {
        let function = instructions(&code, name);
        assert!(uses(&function, register), "no vector register in {name}, so the test shows nothing: {function:#?}");
        assert_eq!(stale(&function, register), Vec::<String>::new(), "{name}: {function:#?}");
    }
    // The reader also finds the fault in code that has it: `sc` inlines the instruction without all of its clobbers.
    let undeclared = instructions(&code, "vector_across_undeclared");
    assert!(undeclared.iter().any(|i| i.name == call), "{undeclared:#?}");
    assert!(!stale(&undeclared, register).is_empty(), "the reader would not have seen the fault: {undeclared:#?}");
}

/// The assembly of `tests/codegen` for a target, or `None` if its `core` is not installed.
fn compile(target: &str, flags: &str) -> Option<String> {
    let Some(core) = core_of(target) else {
        skip(
            &format!("codegen {target} {flags}"),
            "the target's core is not installed; `ci/setup targets` installs it",
        );
        return None;
    };
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("codegen");
    // The name of core too: cargo does not notice that a target's libraries were replaced.
    let name: String = format!("{target}{flags}{core}").chars().filter(char::is_ascii_alphanumeric).collect();
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Several tests build the same: cargo lets one wait for the other, which then finds the work done.
    let output = cargo()
        .args(["rustc", "--release", "--target", target, "--target-dir"])
        .arg(&target_dir)
        .args(["--", "--emit", "asm"])
        .env("RUSTFLAGS", flags)
        .current_dir(package)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let deps = target_dir.join(target).join("release/deps");
    // A change of the source leaves the older file: the newest is read.
    let newest = std::fs::read_dir(deps)
        .unwrap()
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().starts_with("codegen-"))
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "s"))
        .max_by_key(|file| file.metadata().unwrap().modified().unwrap());
    Some(std::fs::read_to_string(newest.unwrap().path()).unwrap())
}

#[derive(Debug, Clone)]
struct Instruction {
    name: String,
    operands: Vec<String>,
}

fn body<'a>(code: &'a str, function: &str) -> Option<&'a str> {
    let from = code.find(&format!("\n{function}:"))?;
    let code = &code[from + function.len() + 2..];
    Some(&code[..code.find(".Lfunc_end").unwrap()])
}

fn instructions(code: &str, function: &str) -> Vec<Instruction> {
    parse(body(code, function).unwrap_or_else(|| panic!("no function {function}")))
}

fn parse(body: &str) -> Vec<Instruction> {
    body.lines()
        .map(|line| line.split("//").next().unwrap().trim())
        .filter(|line| !line.is_empty() && !line.starts_with(['.', '#', '/']) && !line.ends_with(':'))
        .map(|line| {
            let (name, operands) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            Instruction { name: name.into(), operands: operands.split(',').map(|o| o.trim().into()).collect() }
        })
        .collect()
}

/// The vector registers of this letter in an operand: `z0` of `{ z0.d }`.
fn registers(operand: &str, letter: char) -> Vec<String> {
    operand
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.strip_prefix(letter).is_some_and(|rest| rest.parse::<u8>().is_ok()))
        .map(String::from)
        .collect()
}

fn uses(function: &[Instruction], letter: char) -> bool {
    function.iter().flat_map(|i| &i.operands).any(|operand| !registers(operand, letter).is_empty())
}

/// The instructions that read a vector register last written before a call.
fn stale(function: &[Instruction], letter: char) -> Vec<String> {
    let mut written: Vec<String> = Vec::new();
    let mut called = false;
    let mut stale = Vec::new();
    for instruction in function {
        if matches!(instruction.name.as_str(), "ecall" | "svc" | "syscall" | "bl" | "call" | "jalr" | "blr") {
            written.clear();
            called = true;
            continue;
        }
        let stores = ["st", "vs"].iter().any(|store| instruction.name.starts_with(store)) && {
            // `vsetivli`, `vsub` and others begin like a store and are none.
            instruction.name.starts_with("st") || instruction.name.starts_with("vse") || instruction.name.contains('r')
        };
        let (destination, sources) = match instruction.operands.split_first() {
            Some((first, rest)) if !stores => (registers(first, letter), rest),
            _ => (Vec::new(), &instruction.operands[..]),
        };
        let read = sources.iter().flat_map(|operand| registers(operand, letter));
        if called && read.into_iter().any(|register| !written.contains(&register)) {
            stale.push(format!("{} {}", instruction.name, instruction.operands.join(", ")));
        }
        written.extend(destination);
    }
    stale
}

#[test]
fn the_reader_distinguishes_a_spilled_register_from_a_kept_one() {
    let spilled = parse("vle64.v v8, (a0)\nvs2r.v v8, (sp)\necall\nvl2r.v v8, (sp)\nvse64.v v8, (a1)");
    assert_eq!(stale(&spilled, 'v'), Vec::<String>::new());
    let kept = parse("vle64.v v8, (a0)\necall\nvadd.vi v9, v8, 1\nvse64.v v9, (a1)");
    assert_eq!(stale(&kept, 'v'), ["vadd.vi v9, v8, 1"]);
    let kept = parse("ld1d { z0.d }, p0/z, [x0]\nsvc #0\nst1d { z0.d }, p0, [x1]");
    assert_eq!(stale(&kept, 'z'), ["st1d { z0.d }, p0, [x1]"]);
}
