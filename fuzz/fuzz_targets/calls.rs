//! libFuzzer's entry point of [`rsyscall_fuzz::calls`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rsyscall_fuzz::calls(data));
