//! Writes to what only the relocation writes: the kernel ends it.
#![cfg_attr(not(test), no_std, no_main)]

rsyscall::start!(main);

static TABLE: [fn() -> i32; 2] = [one, two];

fn one() -> i32 {
    1
}

fn two() -> i32 {
    2
}

fn main() -> i32 {
    let table = core::hint::black_box(&raw const TABLE).cast_mut().cast::<fn() -> i32>();
    // SAFETY: not at all: it is not writable, which is what is shown here.
    unsafe { table.write_volatile(two) };
    TABLE[0]()
}
