//! Fingerprints of files: equal for files that differ only in comments and layout.

use proc_macro2::{TokenStream, TokenTree};
use sha2::{Digest as _, Sha256};

use crate::lint::limits;
use crate::tree::hex;

/// A hash of the tokens of a Rust source, without comments, documentation and layout, as 64
/// hexadecimal digits; `None` if `text` does not consist of tokens or is nested too deeply.
///
/// ```
/// use submission::fingerprint::fingerprint;
///
/// let plain = fingerprint("fn f(x: u8) -> u8 { x + 1 }");
/// let other = fingerprint("/// Adds one.\nfn f(x: u8)\n    -> u8 { /* ! */ x + 1 }\n");
/// assert!(plain.is_some() && plain == other);
/// assert_ne!(plain, fingerprint("fn f(x: u8) -> u8 { x + 2 }"));
/// ```
pub fn fingerprint(text: &str) -> Option<String> {
    let tokens: TokenStream = text.parse().ok()?;
    limits::weight(&tokens, 0)?;
    let mut hash = Sha256::new();
    absorb(&tokens, &mut hash);
    Some(hex(&hash.finalize()))
}

/// Adds tokens to the hash, each with a separator. A comma before a closing bracket is layout.
fn absorb(tokens: &TokenStream, hash: &mut Sha256) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some(length) = documentation(&tokens[at..]) {
            at += length;
            continue;
        }
        match token {
            TokenTree::Group(group) => {
                hash.update(format!("{:?}\0", group.delimiter()));
                absorb(&group.stream(), hash);
                hash.update(")\0");
            }
            TokenTree::Punct(punct) if punct.as_char() == ',' && at + 1 == tokens.len() => {}
            other => hash.update(format!("{other}\0")),
        }
        at += 1;
    }
}

/// The number of tokens of the doc comment that begins here.
fn documentation(tokens: &[TokenTree]) -> Option<usize> {
    let is = |at: usize, wanted| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    let attribute = match is(0, '#') {
        true if is(1, '!') => 2,
        true => 1,
        false => return None,
    };
    let Some(TokenTree::Group(group)) = tokens.get(attribute) else { return None };
    let first = group.stream().into_iter().next();
    let is_doc = matches!(first, Some(TokenTree::Ident(ident)) if ident == "doc");
    is_doc.then_some(attribute + 1)
}
