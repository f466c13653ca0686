//! A reader that holds no more of a file than the file has.

use std::cell::Cell;
use std::ops::Range;

use object::ReadRef;

/// How often an honest file is read: each part once, and a few headers again.
const TIMES: u64 = 2;

/// Hands out bytes of `data`, in all no more than [`TIMES`] its length.
///
/// What is read stays in memory for as long as the image does. A damaged file can claim any number of tables over
/// the same bytes, and each would be another copy.
#[derive(Debug)]
pub(super) struct Budget<R> {
    data: R,
    left: Cell<u64>,
}

impl<R> Budget<R> {
    pub(super) fn of<'d>(data: R) -> Self
    where
        R: ReadRef<'d>,
    {
        // A file without a length fails at the first read.
        let length = data.len().unwrap_or_default();
        Self { data, left: Cell::new(length.saturating_mul(TIMES)) }
    }

    fn spend(&self, size: u64) -> Result<(), ()> {
        self.left.set(self.left.get().checked_sub(size).ok_or(())?);
        Ok(())
    }
}

impl<'d, R: ReadRef<'d>> ReadRef<'d> for &Budget<R> {
    fn len(self) -> Result<u64, ()> {
        self.data.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'d [u8], ()> {
        self.spend(size)?;
        self.data.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'d [u8], ()> {
        let bytes = self.data.read_bytes_at_until(range, delimiter)?;
        self.spend(bytes.len() as u64)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_twice_and_no_more() {
        let data: &[u8] = b"four";
        let budget = Budget::of(data);
        let reader = &budget;
        assert_eq!(reader.read_bytes_at(0, 4), Ok(data));
        assert_eq!(reader.read_bytes_at(0, u64::MAX), Err(()));
        assert_eq!(reader.read_bytes_at(2, 2), Ok(&data[2..]));
        assert_eq!(reader.read_bytes_at_until(0..4, b'r'), Err(()));
        assert_eq!(reader.read_bytes_at_until(0..4, b'u'), Ok(&data[..2]));
        assert_eq!(reader.read_bytes_at(0, 1), Err(()));
    }
}
