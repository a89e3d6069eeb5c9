//! libFuzzer's entry point of [`rsyscall_fuzz::errno`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rsyscall_fuzz::errno(data));
