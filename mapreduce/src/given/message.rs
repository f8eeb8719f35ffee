//! Texts from other processes: how they are shown, and when two of them say the same.

/// The longest text from another process that is shown, in characters.
const LONGEST: usize = 400;

/// A text on one line that cannot control a terminal: control characters, line ends included, and
/// characters that change the direction of writing are escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A text that another process has sent: escaped, and cut if it is long.
pub(crate) fn foreign(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => escaped(text),
        Some((end, _)) => format!("{}... ({} bytes)", escaped(&text[..end]), text.len()),
    }
}

/// What remains of a text when names and numbers are taken out, which differ from one attempt to
/// the next: words that hold a digit, a slash, or a capital after a small letter.
pub(crate) fn shape(text: &str) -> String {
    let is_name = |word: &str| {
        let pairs = word.chars().zip(word.chars().skip(1));
        word.contains(|c: char| c.is_ascii_digit() || c == '/')
            || pairs.into_iter().any(|(a, b)| a.is_lowercase() && b.is_uppercase())
    };
    let words = text.split_whitespace().map(|word| if is_name(word) { "#" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        for (text, shown) in [
            ("plain \u{e9}\u{6f22}", "plain \u{e9}\u{6f22}"),
            ("two\nlines", "two\\nlines"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
        ] {
            assert_eq!(escaped(text), shown);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(foreign("short"), "short");
        let shown = foreign(&"\u{e9}".repeat(30_000));
        assert!(
            shown.ends_with("\u{e9}... (60000 bytes)") && shown.chars().count() < 500,
            "{shown}"
        );
    }

    #[test]
    fn names_and_numbers_do_not_count() {
        for (a, b, is_equal) in [
            ("mr-tmp-01ab-x: disk full", "mr-tmp-77cd-y: disk full", true),
            ("/tmp/abc is gone", "/var/xyz is gone", true),
            ("cannot open .tmpAbcdEf", "cannot open .tmpqrStuv", true),
            ("index 7 is out of bounds", "index 12 is out of bounds", true),
            ("disk full", "no such file", false),
            ("first cause", "second cause", false),
        ] {
            assert_eq!(shape(a) == shape(b), is_equal, "{a} / {b}");
        }
    }
}
