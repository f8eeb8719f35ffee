//! Cuts long texts.

/// Leaves the first `head` and the last `tail` characters of a longer text; false if it is short.
pub(super) fn cut(text: &mut String, head: usize, tail: usize) -> bool {
    if text.len() <= head + tail || text.char_indices().nth(head + tail).is_none() {
        return false;
    }
    let place = |(place, _)| place;
    let begin = text.char_indices().nth(head).map_or(text.len(), place);
    let end = tail.checked_sub(1).and_then(|tail| text.char_indices().nth_back(tail));
    text.replace_range(begin..end.map_or(text.len(), place), "…");
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_long_text_are_left() {
        let after = |head, tail| {
            let mut text = "aäbcd".to_string();
            cut(&mut text, head, tail);
            text
        };
        assert_eq!(after(2, 0), "aä…");
        assert_eq!(after(1, 2), "a…cd");
        assert_eq!(after(3, 2), "aäbcd");
    }
}
