//! A short text without an allocator.

use core::fmt;

/// Up to 160 bytes of text; the rest is cut off.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; 160],
    len: usize,
}

impl Text {
    /// An empty text.
    pub const fn new() -> Self {
        Self { bytes: [0; 160], len: 0 }
    }

    /// The formatted arguments.
    pub fn of(args: fmt::Arguments<'_>) -> Self {
        let mut text = Self::new();
        // Ignored: `write_str` below never fails; a `Debug` that fails leaves what it has written.
        let _ignored = fmt::Write::write_fmt(&mut text, args);
        text
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        // The text ends before a character that was cut.
        match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                bytes.get(..error.valid_up_to()).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or("")
            }
        }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        for byte in more.bytes() {
            if let Some(free) = self.bytes.get_mut(self.len) {
                *free = byte;
                self.len += 1;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
