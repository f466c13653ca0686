//! Sizes as people write them.

/// A size in bytes: `8192`, `0x2000` or `8K`.
pub(crate) fn parse(text: &str) -> Result<u64, String> {
    let parse = || {
        if let Some(digits) = text.strip_prefix("0x") {
            return u64::from_str_radix(digits, 16).ok();
        }
        let (digits, unit) = match text.as_bytes().last()? {
            b'K' => (&text[..text.len() - 1], 1 << 10),
            b'M' => (&text[..text.len() - 1], 1 << 20),
            b'G' => (&text[..text.len() - 1], 1 << 30),
            _ => (text, 1),
        };
        digits.parse::<u64>().ok()?.checked_mul(unit)
    };
    parse().ok_or_else(|| "expected bytes below 2^64, such as 8192, 0x2000 or 8K".into())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_are_decimal_hexadecimal_or_with_a_suffix() {
        for (text, bytes) in
            [("0", 0), ("8192", 8192), ("0x2000", 8192), ("8K", 8192), ("2M", 2 << 20), ("1G", 1 << 30)]
        {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "K", "0x", "-1", "8k", "8KiB", "1.5M", "18446744073709551616", "18014398509481984K"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
