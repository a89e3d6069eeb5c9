//! The type of a set of flags.
//!
//! Left to itself, `bitflags!` writes the whole type and a hidden second one behind it, and what prints and parses that
//! one is compiled into the library whether or not anybody does: a fifth of what building the crate took. Here it adds
//! its methods and operators to a type of our own, which has only to print.

macro_rules! flags {
    ($(#[$attribute:meta])* pub struct $Name:ident: $Bits:ty { $($flags:tt)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $Name($Bits);

        bitflags::bitflags! {
            impl $Name: $Bits { $($flags)* }
        }

        /// The flags by name, and in hexadecimal the bits that have none.
        impl core::fmt::Debug for $Name {
            #[inline]
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($Name), "("))?;
                if self.is_empty() {
                    f.write_str("0x0")?;
                }
                bitflags::parser::to_writer(self, &mut *f)?;
                f.write_str(")")
            }
        }
    };
}

pub(crate) use flags;
