//! The text form of sets of CPUs in Linux's files: `0-3,8,10-11`.

/// Calls `each` with the first and last number of every range of a list.
///
/// `None` where the text is no such list: `each` may have been called by then.
pub(crate) fn for_each_range(text: &[u8], mut each: impl FnMut(usize, usize)) -> Option<()> {
    for range in text.trim_ascii().split(|&byte| byte == b',') {
        let mut ends = range.split(|&byte| byte == b'-');
        let first = number(ends.next()?)?;
        let last = ends.next().map_or(Some(first), number)?;
        if last < first || ends.next().is_some() {
            return None;
        }
        each(first, last);
    }
    Some(())
}

/// A plain decimal number.
pub(crate) fn number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |number, digit| {
        let value = digit.checked_sub(b'0').filter(|&value| value < 10)?;
        number.checked_mul(10)?.checked_add(value.into())
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    fn ranges(text: &str) -> Option<Vec<(usize, usize)>> {
        let mut found = Vec::new();
        for_each_range(text.as_bytes(), |first, last| found.push((first, last))).map(|()| found)
    }

    #[test]
    fn lists_as_linux_prints_them() {
        assert_eq!(ranges("0\n"), Some([(0, 0)].into()));
        assert_eq!(ranges("0-1\n"), Some([(0, 1)].into()));
        assert_eq!(ranges("0,2-5,8191\n"), Some([(0, 0), (2, 5), (8191, 8191)].into()));
    }

    #[test]
    fn what_is_no_list() {
        for text in ["", "\n", ",", "0,", "a", "0-", "-1", "3-2", "0-1-2", "0 1", "99999999999999999999999"] {
            assert_eq!(ranges(text), None, "{text:?}");
        }
    }
}
