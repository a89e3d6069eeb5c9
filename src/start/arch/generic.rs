//! The pieces that several architectures have in common, and the empty ones: the macro of an architecture ends with all
//! of them.

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __start_common {
    (jump) => {
        "jmp"
    };
    (trap) => {
        "ud2"
    };
    ($empty:ident) => {
        ""
    };
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __start_common {
    (jump) => {
        "b"
    };
    ($empty:ident) => {
        ""
    };
}
