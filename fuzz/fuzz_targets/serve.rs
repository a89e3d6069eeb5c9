//! libFuzzer's entry point of [`rsyscall_fuzz::serve`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rsyscall_fuzz::serve(data));
