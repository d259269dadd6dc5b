//! Text of strangers in the cells of a terminal: inert, and exactly as wide as it says.
//!
//! Widths are summed by character, as terminals do it; whatever would make a terminal think otherwise (joiners,
//! variation selectors, piles of combining marks) is left out.

use crate::render::text::drawn;

/// Left-to-right mark. At both ends of a right-to-left name it keeps a terminal that reorders text from drawing the
/// neighbouring columns into that name's run.
const LEFT_TO_RIGHT: char = '\u{200E}';

/// A piece of text and the columns it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fitted {
    pub(crate) text: String,
    pub(crate) width: usize,
}

/// How many columns a name takes when nothing is cut.
pub(crate) fn width(name: &str) -> usize {
    drawn(name).map(|(_, width)| width).sum()
}

/// The name in at most `room` columns; a cut one ends with `…`.
pub(crate) fn fit(name: &str, room: usize) -> Fitted {
    let whole = width(name);
    let keep = if whole > room {
        room.saturating_sub(1)
    } else {
        room
    };
    let mut text = String::with_capacity(name.len());
    let mut taken = 0;
    for (c, width) in drawn(name) {
        if taken + width > keep {
            break;
        }
        text.push(c);
        taken += width;
    }
    if whole > room && room > 0 {
        text.push('…');
        taken += 1;
    }
    if text.chars().any(is_right_to_left) {
        text = format!("{LEFT_TO_RIGHT}{text}{LEFT_TO_RIGHT}");
    }
    Fitted { text, width: taken }
}

/// The blocks whose characters are right-to-left unless assigned otherwise (Unicode, `DerivedBidiClass.txt`).
fn is_right_to_left(c: char) -> bool {
    matches!(
        u32::from(c),
        0x0590..=0x08FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFF | 0x10800..=0x10FFF | 0x1E800..=0x1EFFF
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(name: &str, room: usize) -> (String, usize) {
        let fitted = fit(name, room);
        (fitted.text, fitted.width)
    }

    #[test]
    fn a_cut_name_takes_exactly_its_room() {
        assert_eq!(fitted("checkout", 8), ("checkout".to_owned(), 8));
        assert_eq!(fitted("checkout", 5), ("chec…".to_owned(), 5));
        assert_eq!(fitted("checkout", 1), ("…".to_owned(), 1));
        assert_eq!(fitted("checkout", 0), (String::new(), 0));
        // A wide character that does not fit whole leaves a column free rather than overhanging.
        assert_eq!(fitted("支付服务", 8), ("支付服务".to_owned(), 8));
        assert_eq!(fitted("支付服务", 6), ("支付…".to_owned(), 5));
    }

    /// Guarantees: nothing that moves a cursor, colours, reorders or hides reaches the terminal.
    #[test]
    fn hostile_names_are_inert() {
        for name in [
            "\x1b[2J\x07",
            "a\nb\r\tc",
            "\u{202E}cod\u{2066}",
            "\u{9b}31m",
            "\u{200B}\u{FEFF}",
        ] {
            let (text, width) = fitted(name, 100);
            assert!(!text.chars().any(char::is_control), "{text:?}");
            assert!(
                !text.contains(['\u{202E}', '\u{2066}', '\u{200B}', '\u{FEFF}']),
                "{text:?}"
            );
            assert_eq!(
                width,
                text.chars().count(),
                "all of them are seen: {text:?}"
            );
        }
    }

    #[test]
    fn piles_of_marks_and_joined_emoji_keep_their_width() {
        let tower = format!("e{}", "\u{0301}".repeat(50));
        assert_eq!(fitted(&tower, 9), ("e\u{0301}\u{0301}".to_owned(), 1));
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}\u{FE0F}";
        assert_eq!(fitted(family, 9).1, 6);
        assert!(!fitted(family, 9).0.contains('\u{200D}'));
    }

    #[test]
    fn right_to_left_names_stay_in_their_run() {
        let (text, width) = fitted("תשלום", 10);
        assert_eq!((text.as_str(), width), ("\u{200E}תשלום\u{200E}", 5));
        assert_eq!(fitted("größe", 10).0, "größe");
    }
}
