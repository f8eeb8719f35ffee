//! Makes text of submissions harmless, and file names of ids.

use crate::handout::release::hash;

/// The directory of the pages of submissions.
pub(crate) const PAGES: &str = "submissions";

/// The length of the part of a file name that comes from an id.
const LONGEST: usize = 150;

/// Names that the outputs of the whole class have.
const RESERVED: [&str; 2] = ["results", "gradescope"];

/// The text with an escape such as `\u{1b}` for each character that is not visible, except line
/// breaks and tabs. It moves no cursor, hides nothing, and is valid in XML.
pub(crate) fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => visible.push(c),
            c if is_hidden(c) => visible.extend(c.escape_default()),
            c => visible.push(c),
        }
    }
    visible
}

/// The same, in one line.
pub(crate) fn visible_line(text: &str) -> String {
    visible(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// The beginning of a text: at most `length` characters.
pub(crate) fn beginning(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_string(),
    }
}

/// The first line of a text, visible and not too long.
pub(crate) fn headline(text: &str) -> String {
    beginning(&visible_line(text.lines().next().unwrap_or_default()), 200)
}

/// Whether a character is a control character, changes the direction of text, is invisible, or is
/// not a character at all.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}'
            | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// The name of a submission's file. It has only letters, digits and `-._~`, does not begin with a
/// dot, and differs for different ids: `~` and two hexadecimal digits stand for any other byte.
pub(crate) fn file_name(id: &str, extension: &str) -> String {
    let mut name = String::new();
    for (place, byte) in id.bytes().enumerate() {
        let is_plain = match byte {
            b'.' => place > 0,
            _ if place == 0 && RESERVED.contains(&id) => false,
            byte => byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_',
        };
        match is_plain {
            true => name.push(char::from(byte)),
            false => name += &format!("~{byte:02x}"),
        }
    }
    if name.is_empty() || name.len() > LONGEST {
        name.truncate(LONGEST);
        let digest = hash(id.as_bytes());
        name += &format!("~~{}", &digest[..16]);
    }
    format!("{name}.{extension}")
}

/// The page of the submission with this id, relative to the class page.
pub(crate) fn page_of(id: &str) -> String {
    format!("{PAGES}/{}", file_name(id, "html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_hides_text_is_made_visible() {
        assert_eq!(
            visible("\x1b[2J\0a\u{202e}b\r\n\tc\u{9b}"),
            "\\u{1b}[2J\\u{0}a\\u{202e}b\\r\n\tc\\u{9b}"
        );
        assert_eq!(visible_line("a\nb"), "a\\nb");
        assert_eq!(visible("Zo\u{eb}, 山田"), "Zo\u{eb}, 山田");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(beginning("\u{e9}\u{e9}\u{e9}", 2), "\u{e9}\u{e9} ...");
        assert_eq!(beginning("\u{e9}\u{e9}", 2), "\u{e9}\u{e9}");
        assert_eq!(headline("a\tb\nc"), "a\\tb");
    }

    #[test]
    fn file_names_stay_in_their_directory() {
        assert_eq!(file_name("team-7_b.zip", "html"), "team-7_b.zip.html");
        assert_eq!(file_name("../../etc/\"x\"", "html"), "~2e.~2f..~2fetc~2f~22x~22.html");
        assert_eq!(file_name("..", "json"), "~2e..json");
        assert_eq!(file_name("~2e", "json"), "~7e2e.json");
        assert_eq!(file_name("results", "json"), "~72esults.json");
        assert_eq!(file_name("results2", "json"), "results2.json");
        assert_eq!(file_name("-rf \u{e9}\0", "html"), "-rf~20~c3~a9~00.html");
        let long = |last: &str| file_name(&("x".repeat(5000) + last), "html");
        assert!(long("a").len() < 200 && long("a") != long("b"));
        assert_ne!(file_name("", "html"), ".html");
    }
}
