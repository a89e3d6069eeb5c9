//! `cargo run --release --manifest-path benches/memory/Cargo.toml`: the memory functions of `rsyscall::start!` beside
//! glibc's.
//!
//! Each bound is a ratio: the median of rounds that measure both alternately, so that a disturbance affects both. The
//! second half runs with glibc restricted to SSE2 (`GLIBC_TUNABLES`), which is all that these functions use.

use std::hint::black_box;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

// From here on the program's own `memcpy` and the like are those of the crate.
rsyscall::__start_memory!();

type Copy = unsafe extern "C" fn(*mut u8, *const u8, usize) -> *mut u8;
type Set = unsafe extern "C" fn(*mut u8, i32, usize) -> *mut u8;
type Compare = unsafe extern "C" fn(*const u8, *const u8, usize) -> i32;

unsafe extern "C" {
    fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8;
    fn memset(to: *mut u8, byte: i32, count: usize) -> *mut u8;
    fn memcmp(a: *const u8, b: *const u8, count: usize) -> i32;
}

/// glibc's function of this name, as its resolver selects it for this processor.
fn of_glibc(name: &std::ffi::CStr) -> *mut libc::c_void {
    // SAFETY: it is loaded already, and the names are strings.
    let function = unsafe { libc::dlsym(libc::dlopen(c"libc.so.6".as_ptr(), libc::RTLD_NOW), name.as_ptr()) };
    assert!(!function.is_null(), "glibc has {name:?}");
    function
}

/// The value of GLIBC_TUNABLES that restricts glibc to SSE2, and the other string features of this processor.
const ONLY_SSE2: &str =
    "glibc.cpu.hwcaps=-AVX2,-AVX,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load,-SSSE3,-SSE4_1,-SSE4_2";

fn main() {
    let restricted = std::env::args().nth(1).is_some_and(|argument| argument == "sse2");
    // SAFETY: these are the types of these functions.
    let theirs: (Copy, Set, Compare) = unsafe {
        let (copy, set, compare) = (of_glibc(c"memcpy"), of_glibc(c"memset"), of_glibc(c"memcmp"));
        (std::mem::transmute(copy), std::mem::transmute(set), std::mem::transmute(compare))
    };
    assert!(theirs.0 as usize != memcpy as *const () as usize, "two functions");
    println!("{}", if restricted { "glibc restricted to SSE2" } else { "glibc as it is" });

    let mut held = true;
    for size in [16_usize, 200, 4096, 1 << 20] {
        let (mut to, mut from) = (vec![1_u8; size + 64], vec![1_u8; size + 64]);
        let (to, from) = (to.as_mut_ptr(), from.as_mut_ptr());
        // SAFETY: of both, `size` bytes and more are there.
        let copy = |function: Copy| move || unsafe { _ = black_box(black_box(function)(to, from, black_box(size))) };
        // SAFETY: as above.
        let set = |function: Set| move || unsafe { _ = black_box(black_box(function)(to, 1, black_box(size))) };
        // SAFETY: as above.
        let compare =
            |function: Compare| move || unsafe { _ = black_box(black_box(function)(to, from, black_box(size))) };
        let limit = |is_compare: bool| match (restricted, is_compare || size == 200) {
            (false, false) => Some(1.10),
            (true, true) => Some(1.50),
            _ => None,
        };
        held &= ratio("memcpy", size, limit(false), copy(memcpy), copy(theirs.0));
        held &= ratio("memset", size, limit(false), set(memset), set(theirs.1));
        held &= ratio("memcmp", size, limit(true), compare(memcmp), compare(theirs.2));
    }
    if !held {
        println!("NOT all bounds hold");
        std::process::exit(1);
    }
    println!("all bounds hold");
    if !restricted {
        let own = std::env::current_exe().expect("this program");
        panic!("{}", Command::new(own).arg("sse2").env("GLIBC_TUNABLES", ONLY_SSE2).exec());
    }
}

/// Prints how many nanoseconds both take, and whether the ratio is within its bound.
fn ratio(name: &str, size: usize, limit: Option<f64>, ours: impl Fn(), theirs: impl Fn()) -> bool {
    let calls = (400_000 / (size + 40)).max(4);
    let time = |function: &dyn Fn()| {
        let start = Instant::now();
        (0..calls).for_each(|_| function());
        start.elapsed().as_nanos() as f64 / calls as f64
    };
    let mut rounds: Vec<(f64, f64)> = (0..201)
        .map(|round| {
            if round % 2 == 0 {
                let ours = time(&ours);
                (ours, time(&theirs))
            } else {
                let theirs = time(&theirs);
                (time(&ours), theirs)
            }
        })
        .collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (ours, theirs) = rounds[rounds.len() / 2];
    let ratio = ours / theirs;
    let holds = limit.is_none_or(|limit| ratio <= limit);
    let bound = limit
        .map_or(String::new(), |limit| format!(", at most {limit:.2}{}", if holds { "" } else { ": DOES NOT HOLD" }));
    println!("  {name} of {size} bytes: {ours:.1} ns, glibc {theirs:.1}, {ratio:.2}{bound}");
    holds
}
