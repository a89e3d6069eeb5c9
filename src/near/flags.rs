//! The type of a set of flags.
//!
//! By default, `bitflags!` generates the type and a hidden second one, whose formatting and parsing code is compiled
//! into the library even if unused: a fifth of the build time of the crate. Here it adds its methods and operators to a
//! type of this crate, which only implements `Debug`.

macro_rules! flags {
    ($(#[$attribute:meta])* pub struct $Name:ident: $Bits:ty { $($flags:tt)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $Name($Bits);

        bitflags::bitflags! {
            impl $Name: $Bits { $($flags)* }
        }

        /// Prints the flags by name, and the bits without a name in hexadecimal.
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
