//! Text on the stack: before `main` there is no other place for it.

use core::ffi::CStr;
use core::fmt;

/// A text of at most `N - 1` bytes with a zero byte behind it.
pub(super) struct Text<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Text<N> {
    /// The empty text.
    pub(super) const fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    /// The bytes written so far.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The text as system calls take it, up to its first zero byte.
    pub(super) fn as_c_str(&self) -> &CStr {
        // There is always one: the byte behind the text is never written.
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    /// Takes as much as there is room for; an error where that is not all.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.length..N - 1];
        let taken = text.len().min(room.len());
        room[..taken].copy_from_slice(&text.as_bytes()[..taken]);
        self.length += taken;
        if taken == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Write as _;

    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_and_told() {
        let mut text = Text::<8>::new();
        assert!(write!(text, "node{}", 12).is_ok());
        assert_eq!(text.as_c_str(), c"node12");
        assert!(text.write_str("34").is_err());
        assert_eq!(text.as_bytes(), b"node123");
        assert_eq!(text.as_c_str(), c"node123");
    }
}
