//! Words as the course's apps see them.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// The longest sequences of letters in a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = find(rest, true)?;
        let word = &rest[start..];
        let end = find(word, false).unwrap_or(word.len());
        rest = &word[end..];
        Some(&word[..end])
    })
}

/// The position of the first letter, or of the first character that is not a letter.
fn find(text: &str, wanted: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if byte.is_ascii() {
            if byte.is_ascii_alphabetic() == wanted {
                return Some(at);
            }
            at += 1;
        } else {
            let character = text[at..].chars().next()?;
            if is_letter(character) == wanted {
                return Some(at);
            }
            at += character.len_utf8();
        }
    }
    None
}

/// Whether this is a letter to Unicode, categories Lu, Ll, Lt, Lm and Lo.
fn is_letter(character: char) -> bool {
    character.general_category_group() == GeneralCategoryGroup::Letter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sequences_of_letters() {
        for (text, expected) in [
            ("", &[][..]),
            ("one", &["one"]),
            ("don't", &["don", "t"]),
            ("  a1b_c\n", &["a", "b", "c"]),
            (
                "na\u{ef}ve \u{201c}caf\u{e9}\u{201d}\u{2014}\u{df}",
                &["na\u{ef}ve", "caf\u{e9}", "\u{df}"],
            ),
            // A combining accent, a Roman numeral and a circled letter are not letters to Unicode.
            ("e\u{301}x \u{2160} \u{24d0}", &["e", "x"]),
            ("\u{6f22}\u{5b57}", &["\u{6f22}\u{5b57}"]),
        ] {
            assert_eq!(words(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }
}
