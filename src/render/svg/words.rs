//! How wide text is, without fonts: never less than what common sans-serif fonts make of it.
//!
//! Which font a reader has is not known. Each character counts as wide as in `DejaVu Sans`, the widest of those that
//! stand in for Helvetica. What may still be wider (scripts and signs with glyphs of any width) is clipped by whoever
//! draws it.

use crate::render::text::{drawn, shortened, visible};

/// Size and weight of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Font {
    size: i32,
    bold: bool,
}

/// A name in its room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) text: String,
    /// Pixels, at most; meaningless if `clip`.
    pub(super) width: i32,
    /// Fonts may draw it wider than measured.
    pub(super) clip: bool,
}

// === impl Font ===

impl Font {
    pub(super) const fn plain(size: i32) -> Self {
        Self { size, bold: false }
    }

    pub(super) const fn bold(size: i32) -> Self {
        Self { size, bold: true }
    }

    pub(super) fn size(self) -> i32 {
        self.size
    }

    /// Pixels, rounded up.
    pub(super) fn width(self, text: &str) -> i32 {
        let thousandths: i32 = drawn(text).map(|(c, cells)| em_thousandths(c, cells)).sum();
        self.scaled(thousandths)
    }

    fn scaled(self, thousandths: i32) -> i32 {
        let weight = if self.bold { 111 } else { 100 };
        let widest = i64::from(thousandths) * i64::from(self.size * weight);
        i32::try_from((widest + 99_999) / 100_000).unwrap_or(i32::MAX)
    }
}

/// A name in a tooltip.
pub(super) fn shown(name: &str) -> String {
    visible(&shortened(name))
}

/// The name in at most `room` pixels; a cut one ends with `…`.
pub(super) fn fit(name: &str, room: i32, font: Font) -> Fitted {
    let chars: Vec<(char, i32)> = drawn(name)
        .map(|(c, cells)| (c, em_thousandths(c, cells)))
        .collect();
    let whole: i32 = chars
        .iter()
        .map(|(_, width)| width)
        .fold(0, |sum, width| sum.saturating_add(*width));
    let clip = chars.iter().any(|(c, _)| !c.is_ascii());
    if font.scaled(whole) <= room {
        let text = chars.iter().map(|(c, _)| c).collect();
        return Fitted {
            text,
            width: font.scaled(whole),
            clip,
        };
    }
    let mut taken = em_thousandths('…', 1);
    let mut text = String::new();
    for (c, width) in chars {
        if font.scaled(taken + width) > room {
            break;
        }
        taken += width;
        text.push(c);
    }
    text.push('…');
    Fitted {
        text,
        width: font.scaled(taken),
        clip,
    }
}

/// Of the font's size; `cells` as in a terminal.
fn em_thousandths(c: char, cells: usize) -> i32 {
    match c {
        _ if cells == 0 => 0,
        'i' | 'j' | 'l' | 'I' | '\'' | '|' | '.' | ',' | ':' | ';' | '/' | '\\' | ' ' | 'f' => 360,
        't' | 'r' | '(' | ')' | '[' | ']' | '!' | '-' | '"' | '·' => 420,
        'm' | 'M' | 'W' | '@' | '%' | '…' => 1_010,
        'w' | '+' | '=' | '<' | '>' | '~' | '#' | '&' | 'G' | 'O' | 'Q' | '^' => 850,
        'A'..='Z' => 780,
        c if c.is_ascii() => 650,
        _ if cells > 1 => 1_050,
        _ => 850,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Advance widths of `DejaVu Sans`, in thousandths of an em, as the font file has them.
    const DEJAVU: [(&str, i32); 6] = [
        ("checkout", 4_535),
        ("42/s · 0.10% · p95 31 ms", 12_260),
        ("WWWW", 3_956),
        ("recommendations", 9_172),
        ("lllll", 1_390),
        ("shop/web-frontend", 9_637),
    ];

    #[test]
    fn no_text_is_measured_narrower_than_a_wide_font_draws_it() {
        for (text, thousandths) in DEJAVU {
            let measured = Font::plain(100).width(text);
            assert!(measured * 10 >= thousandths, "{text}: {measured}");
            assert!(
                measured * 10 <= thousandths * 3 / 2,
                "{text}: {measured} is far too wide"
            );
        }
    }

    #[test]
    fn a_cut_name_ends_with_an_ellipsis_inside_its_room() {
        let font = Font::bold(13);
        for room in [0, 10, 40, 90, 168] {
            for name in [
                "recommendations-service-with-a-long-name",
                "支付服务支付服务支付服务",
                "\u{202E}x\u{0}y",
            ] {
                let fitted = fit(name, room, font);
                let dots = font.width("…");
                assert!(
                    fitted.width <= room.max(dots),
                    "{name} in {room}: {fitted:?}"
                );
                assert_eq!(font.width(&fitted.text), fitted.width);
            }
        }
        assert_eq!(fit("checkout", 168, font).text, "checkout");
        assert!(fit("支付", 168, font).clip && !fit("web", 168, font).clip);
    }
}
