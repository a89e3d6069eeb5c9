//! A replacement for the C library's startup files in a unit test.
//!
//! Cargo passes the link arguments of a program to the program's unit test too, which is an ordinary program with std:
//! there [`start!`](crate::start!) provides what these arguments remove. Without the arguments it is unused.

/// musl's startup files are linked in any case: only the entry has another name.
#[doc(hidden)]
#[macro_export]
#[cfg(not(target_env = "gnu"))]
macro_rules! __start_testing {
    () => {
        ::core::arch::global_asm!(
            ".pushsection .text.__rsyscall_start,\"ax\",%progbits",
            ".globl __rsyscall_start_v1",
            ".globl __rsyscall_start_fixed_v1",
            "__rsyscall_start_v1:",
            "__rsyscall_start_fixed_v1:",
            concat!($crate::__start_arch!(jump), " _start"),
            ".popsection",
        );
    };
}

/// The contents of `Scrt1.o` and `crtbeginS.o`: the entry, the dynamic linker's path, and `__dso_handle`, which
/// identifies the program in `__cxa_atexit`.
#[doc(hidden)]
#[macro_export]
#[cfg(target_env = "gnu")]
macro_rules! __start_testing {
    () => {
        $crate::__start_interpreter!();
        ::core::arch::global_asm!(
            ".pushsection .data.rel.ro.__rsyscall_dso,\"aw\",%progbits",
            ".weak __dso_handle",
            ".hidden __dso_handle",
            ".balign 8",
            "__dso_handle:",
            ".dc.a __dso_handle",
            ".popsection",
            ".pushsection .text.__rsyscall_start,\"ax\",%progbits",
            ".globl __rsyscall_start_v1",
            ".globl __rsyscall_start_fixed_v1",
            ".weak _start",
            ".type _start,%function",
            "__rsyscall_start_v1:",
            "__rsyscall_start_fixed_v1:",
            "_start:",
            $crate::__start_arch!(exit),
            $crate::__start_arch!(entry),
            $crate::__start_arch!(call),
            $crate::__start_arch!(trap),
            ".popsection",
            // The compiler defines `main`, so that code cannot declare it.
            ".pushsection .text.__rsyscall_test_main,\"ax\",%progbits",
            ".globl __rsyscall_test_main",
            ".hidden __rsyscall_test_main",
            ".type __rsyscall_test_main,%function",
            "__rsyscall_test_main:",
            concat!($crate::__start_arch!(jump), " main"),
            ".popsection",
            begin = sym __rsyscall_test_begin,
        );

        unsafe extern "C" fn __rsyscall_test_begin(stack: *const usize, exit: *const ()) -> ! {
            unsafe extern "C" {
                fn __rsyscall_test_main();
                fn __libc_start_main(
                    main: unsafe extern "C" fn(),
                    argc: usize,
                    argv: *const usize,
                    init: unsafe extern "C" fn(::core::ffi::c_int, *const usize, *const usize),
                    fini: *const (),
                    exit: *const (),
                    end: *const usize,
                ) -> !;
            }
            // SAFETY: argc is there.
            let argc = unsafe { *stack };
            let argv = stack.wrapping_add(1);
            let (main, init, fini) = (__rsyscall_test_main, __rsyscall_test_init, ::core::ptr::null());
            // SAFETY: the arguments that the C library's own entry passes.
            unsafe { __libc_start_main(main, argc, argv, init, fini, exit, stack) }
        }

        /// Runs the constructors: glibc before 2.34 leaves them to the startup files, and std gets the arguments in
        /// one.
        unsafe extern "C" fn __rsyscall_test_init(argc: ::core::ffi::c_int, argv: *const usize, envp: *const usize) {
            type Constructor = unsafe extern "C" fn(::core::ffi::c_int, *const usize, *const usize);
            unsafe extern "C" {
                static __init_array_start: [Constructor; 0];
                static __init_array_end: [Constructor; 0];
            }
            let (mut next, end) = (&raw const __init_array_start, &raw const __init_array_end);
            while next != end {
                // SAFETY: the linker places the constructors between the two.
                let constructor = unsafe { *next.cast::<Constructor>() };
                // SAFETY: each is called once, with these arguments.
                unsafe { constructor(argc, argv, envp) };
                next = next.cast::<Constructor>().wrapping_add(1).cast();
            }
        }
    };
}

/// A static test has no dynamic linker.
#[doc(hidden)]
#[macro_export]
#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
macro_rules! __start_interpreter {
    () => {};
}

// `R` (retain), or a linker that removes unused sections drops it.
#[doc(hidden)]
#[macro_export]
#[cfg(all(target_env = "gnu", not(target_feature = "crt-static")))]
macro_rules! __start_interpreter {
    () => {
        ::core::arch::global_asm!(
            ".pushsection .interp,\"aR\",%progbits",
            concat!(".asciz \"", $crate::__start_arch!(interpreter), "\""),
            ".popsection",
        );
    };
}
