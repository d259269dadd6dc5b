//! Numbers of OTLP/JSON, exactly: integers come bare, quoted, or with a fraction and an exponent that leave them whole.

/// The whole number that `text` (checked or not) stands for; `None` if it is none or beyond 38 digits.
pub(super) fn integer(text: &[u8]) -> Option<i128> {
    let (text, sign) = match text.strip_prefix(b"-") {
        Some(rest) => (rest, -1),
        None => (text, 1),
    };
    let exponent_at = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = text.split_at(exponent_at.unwrap_or(text.len()));
    let exponent = match exponent {
        [] => 0,
        [_, exponent @ ..] => std::str::from_utf8(exponent).ok()?.parse::<i32>().ok()?,
    };
    let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&mantissa[..dot], &mantissa[dot + 1..]),
        None => (mantissa, &[][..]),
    };
    let fraction = &fraction[..fraction.len() - trailing_zeros(fraction)];
    let digits = [whole, fraction].concat();
    let zeros = trailing_zeros(&digits);
    let significant = std::str::from_utf8(&digits[..digits.len() - zeros]).ok()?;
    if significant.is_empty() {
        return (!whole.is_empty()).then_some(0);
    }
    if !significant.bytes().all(|byte| byte.is_ascii_digit()) || whole.is_empty() {
        return None;
    }
    let shift =
        i64::from(exponent) - i64::try_from(fraction.len()).ok()? + i64::try_from(zeros).ok()?;
    let power = 10_i128.checked_pow(u32::try_from(shift).ok()?)?;
    significant
        .parse::<i128>()
        .ok()?
        .checked_mul(power)?
        .checked_mul(sign)
}

fn trailing_zeros(digits: &[u8]) -> usize {
    digits
        .iter()
        .rev()
        .take_while(|digit| **digit == b'0')
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guarantees: every way to write a whole number reads as that number, and nothing else reads as one.
    #[test]
    fn whole_numbers_are_read_exactly_in_every_form() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("0.000", Some(0)),
            ("0e99999", Some(0)),
            ("1544712660300000000", Some(1_544_712_660_300_000_000)),
            ("1.5447126603e18", Some(1_544_712_660_300_000_000)),
            ("15447126603E+8", Some(1_544_712_660_300_000_000)),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("-9223372036854775808", Some(i64::MIN.into())),
            ("1200e-2", Some(12)),
            ("1.0", Some(1)),
            ("007", Some(7)),
            ("1.5", None),
            ("1e-1", None),
            ("1e2147483647", None),
            ("1e99999999999", None),
            ("", None),
            ("-", None),
            (".5", None),
            ("+1", None),
            ("1x", None),
            ("0x10", None),
            ("NaN", None),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text}");
        }
    }
}
