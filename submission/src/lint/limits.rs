//! Bounds on what is parsed: the parser and the walk through the tree are recursive.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The largest source file, in bytes. The reference's largest has 20 KiB.
pub const MAX_FILE: u64 = 512 << 10;

/// The largest weight of a file's tokens, see [`weight`].
pub(crate) const MAX_WEIGHT: usize = 8_000;

/// The stack of the thread that reads sources: 64 KiB for each level of [`MAX_WEIGHT`]. The address
/// space is reserved, and memory is used only as far as a file is deep.
pub(crate) const STACK: usize = MAX_WEIGHT * (64 << 10);

/// The deepest nesting of brackets.
pub(crate) const MAX_BRACKETS: usize = 128;

/// A bound on the depth of the syntax tree: the longest chain of tokens that could be nested in one
/// another, such as `!!!!x`, `a.b().c()`, `((x))` or `Box<Box<u8>>`. A chain ends at a semicolon, at
/// a comma, and at a block that ends an item or a statement. `None` if brackets are nested too
/// deeply to tell.
pub(crate) fn weight(tokens: &TokenStream, brackets: usize) -> Option<usize> {
    if brackets > MAX_BRACKETS {
        return None;
    }
    let (mut deepest, mut run, mut inner) = (0, 0, 0);
    let mut after_block = false;
    for token in tokens.clone() {
        let begins_anew = match &token {
            TokenTree::Ident(ident) => after_block && ident != "else" && ident != "as",
            TokenTree::Punct(punct) => {
                matches!(punct.as_char(), ';' | ',') || after_block && punct.as_char() == '#'
            }
            TokenTree::Group(_) | TokenTree::Literal(_) => false,
        };
        if begins_anew {
            deepest = deepest.max(run + inner);
            (run, inner) = (0, 0);
        }
        run += 1;
        after_block = false;
        if let TokenTree::Group(group) = &token {
            inner = inner.max(weight(&group.stream(), brackets + 1)?);
            after_block = group.delimiter() == Delimiter::Brace;
        }
    }
    Some(deepest.max(run + inner))
}
