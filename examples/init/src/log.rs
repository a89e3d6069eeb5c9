//! What is going on, one line each.

use crate::sys::print;

/// Collects a line, so that lines of several processes do not mix.
pub struct Line {
    text: [u8; 96],
    length: usize,
}

impl Line {
    pub fn new(text: &[u8]) -> Self {
        Self { text: [0; 96], length: 0 }.text(text)
    }

    /// Adds text; what does not fit is left out.
    pub fn text(mut self, text: &[u8]) -> Self {
        for &byte in text {
            if let Some(place) = self.text.get_mut(self.length) {
                *place = byte;
                self.length += 1;
            }
        }
        self
    }

    /// Adds a number.
    pub fn number(self, number: u32) -> Self {
        let mut digits = [0; 10];
        let (mut rest, mut first) = (number, digits.len());
        for (place, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (rest % 10) as u8;
            first = place;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.text(digits.get(first..).unwrap_or_default())
    }

    pub fn print(self, fd: i32) {
        let line = self.text(b"\n");
        print(fd, line.text.get(..line.length).unwrap_or_default());
    }
}
