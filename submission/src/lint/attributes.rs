//! Checks attributes, which may name files and paths too.

use proc_macro2::{Literal, Span, TokenStream, TokenTree};

use crate::lint::allowed::Rule;
use crate::lint::modules::written;
use crate::lint::visitor::Visitor;

/// Attributes that change nothing but warnings, documentation, tests and derived code.
const ALLOWED: &[&str] = &[
    "allow",
    "arg",
    "clap",
    "clippy",
    "cold",
    "command",
    "default",
    "deny",
    "deprecated",
    "derive",
    "diagnostic",
    "doc",
    "expect",
    "forbid",
    "group",
    "ignore",
    "inline",
    "must_use",
    "non_exhaustive",
    "repr",
    "rustfmt",
    "serde",
    "should_panic",
    "test",
    "track_caller",
    "value",
    "warn",
];

/// Attributes that set the level of lints.
const LEVELS: &[&str] = &["allow", "deny", "expect", "forbid", "warn"];

/// The lint that ends the evaluation of an endless constant. It keeps its level.
pub(crate) const ENDLESS: &str = "long_running_const_eval";

/// Attributes that read other files, reach below the language, or change it.
const REFUSED: &[(&str, &str)] = &[
    ("path", "the module's own file"),
    ("feature", ""),
    ("no_mangle", ""),
    ("export_name", ""),
    ("link", ""),
    ("link_name", ""),
    ("link_section", ""),
    ("global_allocator", ""),
    ("panic_handler", ""),
    ("proc_macro", ""),
    ("proc_macro_attribute", ""),
    ("proc_macro_derive", ""),
    ("unsafe", ""),
    ("used", ""),
];

impl Visitor<'_> {
    /// Checks an attribute.
    pub(crate) fn check_attribute(&mut self, attribute: &syn::Attribute) {
        self.check_meta(&attribute.meta);
    }

    fn check_meta(&mut self, meta: &syn::Meta) {
        let path = meta.path();
        let Some(first) = path.segments.first() else { return };
        let (name, span) = (first.ident.to_string(), first.ident.span());
        let what = format!("#[{name}]");
        if let Some((_, instead)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
            self.refuse(&what, instead, span);
        }
        match name.as_str() {
            "cfg" => self.check_cfg(meta, span),
            "cfg_attr" => self.check_conditional(meta, span),
            _ if ALLOWED.contains(&name.as_str()) => {}
            _ if REFUSED.iter().any(|(refused, _)| *refused == name) => {}
            _ if path.segments.len() > 1 => self.check_path(&written(&self.here, path), span),
            _ => self.report(Rule::Flag(""), &what, &what, span),
        }
        match meta {
            syn::Meta::Path(_) => {}
            // `clippy::too_many_lines` is a lint, not a path.
            syn::Meta::List(list) if LEVELS.contains(&name.as_str()) => {
                let is_endless = |token| matches!(token, TokenTree::Ident(it) if it == ENDLESS);
                if list.tokens.clone().into_iter().any(is_endless) {
                    self.refuse(ENDLESS, "", span);
                }
            }
            syn::Meta::List(list) => {
                self.check_tokens(&list.tokens);
                if name == "serde" {
                    self.check_texts(&list.tokens);
                }
            }
            syn::Meta::NameValue(pair) => syn::visit::Visit::visit_expr(self, &pair.value),
        }
    }

    /// `#[cfg(test)]` is for the crate's own tests; anything else makes two programs of one.
    fn check_cfg(&mut self, meta: &syn::Meta, span: Span) {
        let is_test = matches!(meta, syn::Meta::List(list) if list.tokens.to_string() == "test");
        if !is_test {
            self.report(Rule::Flag("the same code in every build"), "#[cfg]", "#[cfg]", span);
        }
    }

    /// Checks the attributes that `cfg_attr` adds.
    fn check_conditional(&mut self, meta: &syn::Meta, span: Span) {
        let syn::Meta::List(list) = meta else { return };
        let parser = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
        match list.parse_args_with(parser) {
            Ok(metas) => metas.iter().skip(1).for_each(|meta| self.check_meta(meta)),
            Err(_) => self.refuse("#[cfg_attr]", "the same code in every build", span),
        }
    }

    /// serde takes paths as texts: `#[serde(with = "serde_bytes")]`.
    fn check_texts(&mut self, tokens: &TokenStream) {
        for token in tokens.clone() {
            match token {
                TokenTree::Group(group) => self.check_texts(&group.stream()),
                TokenTree::Literal(literal) => self.check_text(&literal),
                _ => {}
            }
        }
    }

    /// Checks a text as a path, if it is one.
    pub(crate) fn check_text(&mut self, literal: &Literal) {
        let text = syn::parse_str::<syn::LitStr>(&literal.to_string());
        if let Some(path) = text.ok().and_then(|text| text.parse::<syn::Path>().ok()) {
            self.check_path(&written(&self.here, &path), literal.span());
        }
    }
}
