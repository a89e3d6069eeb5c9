//! Bytes taken one by one, followed by zeros.

pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u64 {
        u64::from_le_bytes([(); 8].map(|()| self.byte()))
    }

    /// A value that is likely to matter, or any.
    pub(crate) fn value(&mut self) -> u64 {
        match self.byte() {
            small @ 0..=63 => small.into(),
            below @ 64..=127 => u64::MAX - u64::from(below - 64),
            bit @ 128..=191 => 1 << (bit - 128),
            near @ 192..=223 => (1 << 32) - 16 + u64::from(near - 192),
            _ => self.word(),
        }
    }
}
