//! libFuzzer's entry point of [`rsyscall_fuzz::client`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rsyscall_fuzz::client(data));
