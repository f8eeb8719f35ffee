//! In what texts differ that are alike.

use std::collections::BTreeSet;

/// The most values that are listed, and the most characters of each.
const MOST: (usize, usize) = (8, 24);

/// The values of the only word that differs, in order, after the word before it: `shard 5 8 9`.
/// `None` if it is not one word, or if there are too many values.
pub(super) fn varying(texts: &[&str]) -> Option<String> {
    let words = |text: &str| text.split_whitespace().map(plain).map(String::from).collect();
    let (most, long) = MOST;
    let (first, others) = texts.split_first()?;
    let first: Vec<String> = words(first);
    let (mut place, mut values) = (None, BTreeSet::new());
    for text in others {
        let other: Vec<String> = words(text);
        if other.len() != first.len() {
            return None;
        }
        let mut differ = (0..first.len()).filter(|&word| first[word] != other[word]);
        let Some(word) = differ.next() else { continue };
        if differ.next().is_some() || *place.get_or_insert(word) != word {
            return None;
        }
        // Numbers in their order.
        values.extend([&first[word], &other[word]].map(|value| (value.len(), value.clone())));
        if values.len() > most || other[word].chars().count() > long {
            return None;
        }
    }
    let label = place?.checked_sub(1).map(|label| first[label].clone());
    let values = values.into_iter().map(|(_, value)| value);
    Some(label.into_iter().chain(values).collect::<Vec<_>>().join(" "))
}

/// A word without what separates it from others.
fn plain(word: &str) -> &str {
    word.trim_matches([',', ':', ';'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_that_differs_is_listed() {
        let table = [
            (&["shard: 10, of 2", "shard: 9, of 2", "shard: 10, of 2"][..], Some("shard 9 10")),
            (&["S1@2 votes", "S0@2 votes"], Some("S0@2 S1@2")),
            (&["a 1 b 1", "a 2 b 1", "a 1 b 2"], None),
            (&["a 1 b 1", "a 2 b 2"], None),
            (&["a 1", "a 1 b"], None),
            (&["a 1", "a 1"], None),
            (&["a 1"], None),
            (&[], None),
        ];
        for (texts, expected) in table {
            assert_eq!(varying(texts).as_deref(), expected, "{texts:?}");
        }
        let many: Vec<String> = (0..9).map(|number| format!("a {number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(varying(&many), None);
        assert_eq!(varying(&many[..8]).as_deref(), Some("a 0 1 2 3 4 5 6 7"));
        assert_eq!(varying(&["a", &"b".repeat(25)]), None);
    }
}
