//! Bytes as hexadecimal digits.

use std::fmt::Write as _;

/// Bytes as lower-case digits.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The bytes of digits of either case; none where the text is anything else.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16)?).ok();
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_they_were_written() {
        let bytes: Vec<u8> = (0..=u8::MAX).collect();
        let text = hex(&bytes);
        assert!(
            text.starts_with("000102") && text.ends_with("fdfeff"),
            "{text}"
        );
        assert_eq!(unhex(&text), Some(bytes));
        assert_eq!(unhex("0aFF"), Some(vec![10, 255]));
        assert_eq!(unhex(""), Some(Vec::new()));
        for malformed in ["0", "0g", "+1", "é", "0x00"] {
            assert_eq!(unhex(malformed), None, "{malformed}");
        }
    }
}
