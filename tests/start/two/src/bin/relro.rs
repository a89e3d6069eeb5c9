//! Writes to memory that only the relocation may write: the kernel kills it.
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
    // SAFETY: none: the memory is not writable, which this program shows.
    unsafe { table.write_volatile(two) };
    TABLE[0]()
}
