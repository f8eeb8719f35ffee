//! Recognizes sources that are the same apart from comments and layout.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use sha2::{Digest as _, Sha256};

use crate::lint::limits::MAX_FILE;
use crate::tree::{hex, short};

/// The number of tokens from which two files with the same ones hardly have two authors.
const SMALLEST: usize = 80;

/// The start of a hash of the tokens of a source, without comments, documentation and the commas
/// before closing brackets, which a formatter adds or removes. `None` if it has too few tokens to
/// say anything, or is not made of tokens.
///
/// ```
/// use submission::similar::fingerprint;
///
/// let body = "let a = [1, 2]; ".repeat(10);
/// let one = format!("/// A function.\nfn f() {{ {body} }}");
/// let other = format!("fn f(  ) {{ {} }} // The same.", body.replace("2]", "2,\n]"));
/// assert!(fingerprint(one.as_bytes()).is_some());
/// assert_eq!(fingerprint(one.as_bytes()), fingerprint(other.as_bytes()));
/// ```
pub fn fingerprint(source: &[u8]) -> Option<String> {
    if source.len() as u64 > MAX_FILE {
        return None;
    }
    let tokens: TokenStream = std::str::from_utf8(source).ok()?.parse().ok()?;
    let (mut hash, mut count) = (Sha256::new(), 0);
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
        count += 1;
    };
    // Brackets may be nested more deeply than a thread's stack allows.
    let mut open = vec![(level(tokens), "")];
    while let Some((tokens, close)) = open.last_mut() {
        match tokens.pop() {
            Some(TokenTree::Group(group)) => {
                let (opening, closing) = brackets(group.delimiter());
                add(opening);
                open.push((level(group.stream()), closing));
            }
            Some(TokenTree::Punct(punct)) => add(&punct.as_char().to_string()),
            Some(token) => add(&token.to_string()),
            None => {
                add(close);
                open.pop();
            }
        }
    }
    (count >= SMALLEST).then(|| short(&hex(&hash.finalize())).to_string())
}

/// The tokens between two brackets, the last one first, without documentation and a last comma.
fn level(tokens: TokenStream) -> Vec<TokenTree> {
    let mut level: Vec<TokenTree> = Vec::new();
    for token in tokens {
        if is_documentation(&token) {
            // `#[doc = "..."]` or `#![doc = "..."]`.
            while level.last().is_some_and(|before| is_punct(before, '!')) {
                level.pop();
            }
            if level.last().is_some_and(|before| is_punct(before, '#')) {
                level.pop();
            }
            continue;
        }
        level.push(token);
    }
    if level.last().is_some_and(|last| is_punct(last, ',')) {
        level.pop();
    }
    level.reverse();
    level
}

/// Whether a token is what follows the `#` of a comment that is documentation.
fn is_documentation(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    group.delimiter() == Delimiter::Bracket
        && matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc")
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function that is long enough.
    fn source(statement: &str) -> String {
        format!("pub fn f() {{ {} }}", statement.repeat(20))
    }

    fn of(text: &str) -> Option<String> {
        fingerprint(text.as_bytes())
    }

    #[test]
    fn comments_and_layout_do_not_count() {
        let plain = source("g(1, \"a b\");\n");
        for other in [
            source("g( 1,\n \"a b\",\n ); // Why.\n"),
            format!("//! A module.\n/* A /* nested */ one. */ /// A function.\n{plain}"),
            format!("\u{feff}#![doc = \"A module.\"]\n{plain}").replace('\n', "\r\n"),
        ] {
            assert_eq!(of(&other), of(&plain), "{other}");
        }
    }

    #[test]
    fn code_and_text_in_quotes_count() {
        let plain = source("g(1, \"a b\");");
        for other in [
            source("h(1, \"a b\");"),
            source("g(1, \"a  b\");"),
            source("g([1, \"a b\"]);"),
            source("g(1, \"// a b\");"),
        ] {
            assert_ne!(of(&other), of(&plain), "{other}");
        }
    }

    #[test]
    fn what_says_nothing_has_none() {
        assert_eq!(of("//! Nothing.\nmod a;\nmod b;\n"), None);
        assert_eq!(of(&source("g(\"")), None);
        assert_eq!(fingerprint(&[0xff; 1000]), None);
        assert_eq!(of(&"x;".repeat(MAX_FILE as usize)), None);
        assert!(of(&("[".repeat(50_000) + &"]".repeat(50_000))).is_some());
    }
}
