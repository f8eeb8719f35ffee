//! Searches the tokens of macros, their definitions and their arguments, for paths and keywords.
//!
//! A macro's tokens have no syntax tree before the compiler expands it. So every path in them is
//! checked as if it were code, and a path that is put together from pieces is refused.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};

use crate::lint::allowed::{BUILT_IN, LEAKY, Rule};
use crate::lint::attributes::ENDLESS;
use crate::lint::modules::{Import, Written, imports, name_of};
use crate::lint::rules;
use crate::lint::visitor::{Visitor, text_of};

/// What to do about a path in pieces.
const WHOLE: &str = "a path that is written out";

/// What to do about a macro whose name a macro puts in.
const NAMED: &str = "a macro by its name";

/// The tokens on one level of a macro, and a position in them.
struct Cursor {
    tokens: Vec<TokenTree>,
    at: usize,
}

impl Cursor {
    fn peek(&self, ahead: usize) -> Option<&TokenTree> {
        self.tokens.get(self.at + ahead)
    }

    /// Whether the token before the position, by `back` tokens, is this character.
    fn follows(&self, back: usize, wanted: char) -> bool {
        self.at >= back && is_punct(self.tokens.get(self.at - back), wanted)
    }

    /// Whether a `$(...)*` or its like ends before the position.
    fn follows_repetition(&self) -> bool {
        let group = self.at.checked_sub(2).and_then(|at| self.tokens.get(at));
        ['*', '+', '?'].iter().any(|kind| self.follows(1, *kind))
            && matches!(group, Some(TokenTree::Group(_)))
            && self.follows(3, '$')
    }

    /// Whether a `::` stands this number of tokens ahead.
    fn is_colons(&self, ahead: usize) -> bool {
        is_punct(self.peek(ahead), ':') && is_punct(self.peek(ahead + 1), ':')
    }

    /// Whether the `!` here calls a macro whose name is an argument or put together from pieces.
    fn is_call_of_pieces(&self) -> bool {
        let calls = is_punct(self.peek(0), '!')
            && matches!(self.peek(1), Some(TokenTree::Group(_)))
            && self.at > 0;
        calls
            && match &self.tokens[self.at - 1] {
                TokenTree::Ident(_) => self.follows(2, '$'),
                TokenTree::Punct(_) => self.follows_repetition(),
                _ => false,
            }
    }

    /// The identifier this number of tokens ahead.
    fn ident(&self, ahead: usize) -> Option<&Ident> {
        match self.peek(ahead) {
            Some(TokenTree::Ident(ident)) => Some(ident),
            _ => None,
        }
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Whether a `!` stands this number of tokens ahead, and is not the start of a `!=`.
fn is_bang(cursor: &Cursor, ahead: usize) -> bool {
    is_punct(cursor.peek(ahead), '!') && !is_punct(cursor.peek(ahead + 1), '=')
}

/// Whether a word without `!` may become the call of a built-in macro. `cfg` and `env` are common
/// names, and assembly needs a path or an import.
fn is_hidden_call(name: &str) -> bool {
    BUILT_IN.contains(&name) && !matches!(name, "cfg" | "env") && !name.ends_with("asm")
}

impl Visitor<'_> {
    /// Checks tokens that have no syntax tree.
    pub(crate) fn check_tokens(&mut self, tokens: &TokenStream) {
        let mut cursor = Cursor { tokens: tokens.clone().into_iter().collect(), at: 0 };
        while let Some(token) = cursor.peek(0).cloned() {
            match token {
                TokenTree::Group(group) => {
                    self.check_tokens(&group.stream());
                    cursor.at += 1;
                }
                TokenTree::Ident(ident) => self.check_word(&mut cursor, &ident),
                TokenTree::Punct(_) if cursor.is_colons(0) => self.check_colons(&mut cursor),
                // `$name!(...)` and `$($name)*!(...)`.
                TokenTree::Punct(_) if cursor.is_call_of_pieces() => {
                    self.refuse("!", "a macro that is named", token.span());
                    cursor.at += 1;
                }
                TokenTree::Punct(_) => cursor.at += 1,
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    if text.contains(":p}") || text.contains(":#p}") {
                        let rule = Rule::Flag("an index: addresses differ between runs");
                        self.report(rule, "{:p}", "{:p}", literal.span());
                    }
                    // serde takes paths as texts.
                    self.check_text(&literal);
                    cursor.at += 1;
                }
            }
        }
    }

    /// Checks a keyword, or the path or macro that begins here.
    fn check_word(&mut self, cursor: &mut Cursor, ident: &Ident) {
        let is_variable = cursor.follows(1, '$') && name_of(ident) != "crate";
        match ident.to_string().as_str() {
            "unsafe" => self.refuse("unsafe", "", ident.span()),
            "extern" => self.refuse("extern", "", ident.span()),
            ENDLESS => self.refuse(ENDLESS, "", ident.span()),
            "static" if !cursor.follows(1, '\'') && !self.is_program => {
                self.refuse("static", "a field of the server, or a const", ident.span());
            }
            "use" => return self.check_use(cursor, ident.span()),
            "mod" => self.refuse("mod", "a module outside of macros", ident.span()),
            // A macro may put a call of it together.
            name if is_hidden_call(name) && !cursor.follows(1, '.') => {
                self.refuse(&format!("{name}!"), "", ident.span());
            }
            "std" | "core" | "alloc" if !cursor.is_colons(1) && !cursor.follows(1, '.') => {
                self.refuse(&name_of(ident), WHOLE, ident.span());
            }
            name if cursor.follows(1, '.') && LEAKY.contains(&name) => {
                self.report(Rule::Flag("a value that is dropped"), name, name, ident.span());
            }
            _ if is_variable && cursor.is_colons(1) => {
                self.refuse(&format!("${ident}::"), WHOLE, ident.span());
                cursor.at += 2;
            }
            _ if is_variable && is_bang(cursor, 1) => {
                self.refuse(&format!("${ident}!"), NAMED, ident.span());
            }
            _ if is_variable => {}
            _ => return self.check_token_path(cursor, false, ident.span()),
        }
        cursor.at += 1;
    }

    /// Checks what follows a `::` that no name precedes.
    fn check_colons(&mut self, cursor: &mut Cursor) {
        let span = cursor.peek(0).map_or_else(Span::call_site, TokenTree::span);
        let after_generics = cursor.follows(1, '>');
        let after_pieces = cursor.at > 0
            && matches!(cursor.tokens.get(cursor.at - 1), Some(TokenTree::Group(_)))
            && cursor.follows(2, '$');
        cursor.at += 2;
        match cursor.ident(0).map(name_of) {
            Some(name) if after_generics => {
                self.check_associated(&name, Rule::Refuse(""), span);
                cursor.at += 1;
            }
            Some(_) if !after_pieces => self.check_token_path(cursor, true, span),
            _ => self.refuse("::", WHOLE, span),
        }
    }

    /// Checks the path whose first name is at the cursor, and moves behind it.
    fn check_token_path(&mut self, cursor: &mut Cursor, absolute: bool, span: Span) {
        let mut path = Written { module: self.here.clone(), absolute, segments: Vec::new() };
        let is_field = !absolute && cursor.follows(1, '.');
        while let Some(name) = cursor.ident(0).map(name_of) {
            path.segments.push(name);
            cursor.at += 1;
            if !cursor.is_colons(0) {
                break;
            }
            cursor.at += 2;
            if cursor.ident(0).is_some() {
                continue;
            }
            match cursor.peek(0).cloned() {
                Some(TokenTree::Punct(punct)) if punct.as_char() == '<' => break,
                Some(TokenTree::Punct(punct)) if punct.as_char() == '*' => {
                    return self.check_macro_import(&Import { path, name: None, span });
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    cursor.at += 1;
                    return self.check_branches(&path, &group.stream());
                }
                _ => return self.refuse(&format!("{}::", text_of(&path)), WHOLE, span),
            }
        }
        // The arguments of a forbidden one may stand elsewhere.
        let has_arguments =
            matches!(cursor.peek(1), Some(TokenTree::Group(_) | TokenTree::Ident(_)));
        let is_forbidden =
            || path.segments.last().is_some_and(|name| rules::is_forbidden_macro(name));
        if is_bang(cursor, 0) && (has_arguments || is_forbidden()) {
            self.check_macro_name(&path, span);
        } else {
            self.check_path(&path, span);
            if !is_field {
                self.check_part(&path, span);
            }
        }
    }

    /// Refuses a path that a macro could join with other tokens to a path that is not allowed: the
    /// name of a crate, or of a module that is allowed only in part.
    fn check_part(&mut self, path: &Written, span: Span) {
        let is_alias = |full: &[String]| full != path.segments || rules::is_split(&full[0]);
        let leads_on = |full: &Vec<String>| is_alias(full) && rules::is_partial(full, self.world);
        let later = path.segments.iter().skip(1);
        if self.outside(path).iter().any(leads_on)
            || later.clone().any(|name| rules::is_split(name))
            || later.last().is_some_and(|name| name == "log")
        {
            self.refuse(&text_of(path), WHOLE, span);
        }
    }

    /// Checks the branches of an import that could not be parsed as one.
    fn check_branches(&mut self, start: &Written, tokens: &TokenStream) {
        for token in tokens.clone() {
            match token {
                TokenTree::Ident(ident) => {
                    let mut path = start.clone();
                    path.segments.push(name_of(&ident));
                    let span = ident.span();
                    self.check_macro_import(&Import { path, name: Some(ident.to_string()), span });
                }
                TokenTree::Group(group) => self.check_branches(start, &group.stream()),
                _ => {}
            }
        }
    }

    /// Checks an import up to its semicolon.
    fn check_use(&mut self, cursor: &mut Cursor, span: Span) {
        let rest = &cursor.tokens[cursor.at..];
        let end = rest.iter().position(|token| is_punct(Some(token), ';'));
        let item: TokenStream =
            end.map_or(&rest[..0], |end| &rest[..=end]).iter().cloned().collect();
        match syn::parse2::<syn::ItemUse>(item) {
            Ok(item) => {
                imports(&self.here, &item)
                    .iter()
                    .for_each(|import| self.check_macro_import(import));
                cursor.at += end.map_or(1, |end| end + 1);
            }
            // `$ident` of the kind that the macro takes from its caller.
            Err(_) if end.is_some() => {
                self.refuse("use", WHOLE, span);
                cursor.at += 1;
            }
            // `impl Trait + use<'a>`, or a word of the macro's own.
            Err(_) => cursor.at += 1,
        }
    }

    /// Checks an import in a macro, whose later uses cannot all be followed.
    fn check_macro_import(&mut self, import: &Import) {
        self.check_import(import);
        for full in self.outside(&import.path) {
            let rule = rules::macro_import_rule(&full, self.world);
            if import.name.is_some() {
                self.report(rule, &text_of(&import.path), &full.join("::"), import.span);
            }
        }
    }
}
