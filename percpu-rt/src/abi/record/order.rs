//! Integers in the byte order of an image.

/// The order of the bytes of an image's integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    /// The lowest byte first.
    Little,
    /// The highest byte first.
    Big,
}

impl ByteOrder {
    /// The order of the machine that this is compiled for.
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };

    pub(super) fn u32_at(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if let Self::Big = self { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    pub(super) fn u64_at(self, bytes: &[u8], at: usize) -> Option<u64> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if let Self::Big = self { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) })
    }

    pub(super) const fn u32(self, value: u32) -> [u8; 4] {
        if let Self::Big = self { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(super) const fn u64(self, value: u64) -> [u8; 8] {
        if let Self::Big = self { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}
