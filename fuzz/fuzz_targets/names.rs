//! libFuzzer's entry point of [`rsyscall_fuzz::names`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rsyscall_fuzz::names(data));
