//! Walks through the syntax tree of one file and reports what is not on the list.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream};
use syn::visit::{self, Visit};

use crate::World;
use crate::lint::allowed::{BUILT_IN, LEAKY, Rule};
use crate::lint::finding::{Finding, Severity};
use crate::lint::modules::{Import, ModulePath, Written, imports, is_for_tests, name_of, written};
use crate::lint::resolve::{Meaning, Resolver};
use crate::lint::rules;

/// Checks one file.
pub(crate) struct Visitor<'a> {
    pub(crate) resolver: &'a Resolver<'a>,
    pub(crate) world: World,
    /// The file, as findings name it.
    pub(crate) file: &'a str,
    /// The module that is being read.
    pub(crate) here: ModulePath,
    /// Whether the code exists only in the crate's own tests: then nothing is refused.
    pub(crate) in_tests: bool,
    /// Whether the file is a program on real processes, of which a simulation knows nothing: its
    /// statics are shared by no two servers.
    pub(crate) is_program: bool,
    /// The type in angle brackets that the next path follows; empty if it is not a path.
    pub(crate) after_type: Option<Written>,
    /// The type that `Self` stands for, if it is a path.
    pub(crate) self_type: Option<Written>,
    /// What was found. A set: macros are read twice where they contain expressions.
    pub(crate) findings: BTreeSet<Finding>,
}

impl Visitor<'_> {
    /// Reports `written` at `span` unless `rule` allows it.
    pub(crate) fn report(&mut self, rule: Rule, written: &str, resolved: &str, span: Span) {
        let (severity, instead) = match rule {
            Rule::Allow => return,
            Rule::Flag(instead) => (Severity::Flagged, instead),
            Rule::Refuse(instead) => (Severity::Refused, instead),
        };
        self.findings.insert(Finding {
            file: self.file.to_string(),
            line: span.start().line,
            severity: if self.in_tests { Severity::Flagged } else { severity },
            written: written.to_string(),
            resolved: resolved.to_string(),
            instead: instead.to_string(),
        });
    }

    /// Refuses a construct, whatever it names.
    pub(crate) fn refuse(&mut self, what: &str, instead: &'static str, span: Span) {
        self.report(Rule::Refuse(instead), what, what, span);
    }

    /// Checks a path with at least two segments. One with a single segment means what an import
    /// says, and imports are checked, or something of the crate's own.
    pub(crate) fn check_path(&mut self, path: &Written, span: Span) {
        let text = text_of(path);
        if path.segments.len() < 2 && !path.absolute {
            return;
        }
        if let (Some(own), [first, rest @ ..]) = (&self.self_type, &path.segments[..])
            && first == "Self"
            && own.segments.first().is_some_and(|first| first != "Self")
        {
            let mut full = own.clone();
            full.segments.extend_from_slice(rest);
            self.check_path(&full, span);
        }
        if let [first, .., owner, name] = &path.segments[..]
            && [first, owner].iter().all(|name| name.starts_with(char::is_uppercase))
        {
            // `T::Item::leak`, whose type only the compiler knows.
            self.check_associated(name, Rule::Flag("a value that is dropped"), span);
        }
        for meaning in self.resolver.resolve(path) {
            match meaning {
                Meaning::Outside(full) if !self.is_reported_where_imported(path, &full) => {
                    let rule = rules::rule(&full, self.world);
                    self.report(rule, &text, &full.join("::"), span);
                }
                Meaning::Perhaps(full) => {
                    let rule = rules::rule(&full, self.world);
                    if !matches!(rule, Rule::Refuse("")) {
                        self.report(rule, &text, &full.join("::"), span);
                    }
                }
                Meaning::Unclear => self.refuse(&text, "a path that leads somewhere", span),
                Meaning::Outside(_) | Meaning::Inside => {}
            }
        }
        if path.segments.first().is_some_and(|first| first == "Self") {
            self.check_leak(path.segments.last(), Rule::Flag("a value that is dropped"), span);
        }
    }

    /// The paths of other crates that a path stands for.
    pub(crate) fn outside(&self, path: &Written) -> Vec<Vec<String>> {
        let meanings = self.resolver.resolve(path).into_iter();
        let outside = meanings.filter_map(|meaning| match meaning {
            Meaning::Outside(full) => Some(full),
            Meaning::Perhaps(_) | Meaning::Inside | Meaning::Unclear => None,
        });
        outside.collect()
    }

    /// Whether the import of the first segment is not allowed either: for `Mutex::new` the line
    /// `use std::sync::Mutex` is enough to report. A module is reported where it is used, too.
    fn is_reported_where_imported(&self, path: &Written, full: &[String]) -> bool {
        let [first, rest @ ..] = &path.segments[..] else { return false };
        let is_type = first.starts_with(char::is_uppercase);
        let imported = full.len().checked_sub(rest.len()).map(|end| &full[..end]);
        is_type
            && imported.is_some_and(|imported| {
                imported.len() > 1 && matches!(rules::rule(imported, self.world), Rule::Refuse(_))
            })
    }

    /// Reports a function that makes its argument immortal.
    fn check_leak(&mut self, name: Option<&String>, rule: Rule, span: Span) {
        if let Some(name) = name.filter(|name| LEAKY.contains(&name.as_str())) {
            self.report(rule, name, name, span);
        }
    }

    /// Checks a function after a type that cannot be followed.
    pub(crate) fn check_associated(&mut self, name: &str, rule: Rule, span: Span) {
        let opens_disk = self.world == World::SimulatedDisks && name == "at";
        if opens_disk || LEAKY.contains(&name) {
            self.report(rule, name, name, span);
        }
    }

    /// Checks a name of an import.
    pub(crate) fn check_import(&mut self, import: &Import) {
        let (text, span) = (text_of(&import.path), import.span);
        for meaning in self.resolver.resolve(&import.path) {
            let (rule, full) = match (meaning, &import.name) {
                (Meaning::Outside(full), Some(_)) => (rules::rule(&full, self.world), full),
                (Meaning::Outside(full), None) => (rules::glob_rule(&full, self.world), full),
                (Meaning::Perhaps(full), Some(_)) => match rules::rule(&full, self.world) {
                    Rule::Refuse("") => continue,
                    rule => (rule, full),
                },
                (Meaning::Perhaps(full), None) if full.len() == 1 => {
                    (rules::glob_rule(&full, self.world), full)
                }
                (Meaning::Unclear, _) => (Rule::Refuse(""), import.path.segments.clone()),
                (Meaning::Perhaps(_) | Meaning::Inside, _) => continue,
            };
            let star = if import.name.is_none() { "::*" } else { "" };
            self.report(rule, &format!("{text}{star}"), &(full.join("::") + star), span);
        }
    }

    /// Checks the macro that a call names.
    pub(crate) fn check_macro_name(&mut self, path: &Written, span: Span) {
        let name = path.segments.last().cloned().unwrap_or_default();
        if path.segments.len() > 1 || path.absolute {
            return self.check_path(path, span);
        }
        let here = &path.module;
        let modules = &self.resolver.modules.by_path;
        let is_imported = || {
            let names = |end: usize| modules.get(&here[..end]).map(|module| &module.names);
            (0..=here.len()).filter_map(names).any(|names| names.contains_key(&name))
        };
        // A macro of the crate's own may come before its module in the text, in any module.
        let is_own = || modules.values().any(|module| module.macros.contains(&name));
        // Imported with everything else of a crate, which was checked there.
        let is_perhaps = || {
            let meanings = self.resolver.resolve(path);
            meanings.iter().any(|it| matches!(it, Meaning::Perhaps(_)))
        };
        // No definition hides a built-in macro everywhere.
        let is_built_in = BUILT_IN.contains(&&*name);
        if !is_built_in && (is_imported() || is_own()) {
            return;
        }
        let rule = rules::std_macro(&name, self.world);
        if !is_built_in && rule == Rule::Refuse("") && is_perhaps() {
            return;
        }
        self.report(rule, &format!("{name}!"), &format!("{name}!"), span);
    }

    /// Runs `check` for something with these attributes.
    fn within(&mut self, attributes: &[syn::Attribute], check: impl FnOnce(&mut Self)) {
        let outer = self.in_tests;
        self.in_tests |= is_for_tests(attributes);
        check(self);
        self.in_tests = outer;
    }
}

/// The path of a type, if it is written as one.
fn type_path(here: &[String], written_as: &syn::Type) -> Option<Written> {
    match written_as {
        syn::Type::Path(syn::TypePath { qself: None, path, .. }) => Some(written(here, path)),
        syn::Type::Paren(inner) => type_path(here, &inner.elem),
        syn::Type::Group(inner) => type_path(here, &inner.elem),
        _ => None,
    }
}

/// A path as it is written.
pub(crate) fn text_of(path: &Written) -> String {
    format!("{}{}", if path.absolute { "::" } else { "" }, path.segments.join("::"))
}

/// Where a path begins.
fn span_of(path: &syn::Path) -> Span {
    path.segments.first().map_or_else(Span::call_site, |segment| segment.ident.span())
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_file(&mut self, file: &'ast syn::File) {
        self.within(&file.attrs, |it| visit::visit_file(it, file));
    }

    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = attributes_of(item);
        self.within(attributes, |it| visit::visit_item(it, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.within(&item.attrs, |it| visit::visit_impl_item_fn(it, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if let Some(token) = &item.unsafety {
            self.refuse("unsafe", "", token.span);
        }
        self.here.push(name_of(&item.ident));
        visit::visit_item_mod(self, item);
        self.here.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        for import in imports(&self.here, item) {
            self.check_import(&import);
        }
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let what = format!("extern crate {}", item.ident);
        self.refuse(&what, "use", item.extern_token.span);
    }

    fn visit_item_foreign_mod(&mut self, item: &'ast syn::ItemForeignMod) {
        self.refuse("extern block", "", item.abi.extern_token.span);
    }

    fn visit_abi(&mut self, abi: &'ast syn::Abi) {
        self.refuse("extern", "", abi.extern_token.span);
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        let what = format!("static {}", item.ident);
        if !self.is_program {
            self.refuse(&what, "a field of the server, or a const", item.static_token.span);
        }
        visit::visit_item_static(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some(token) = &item.unsafety {
            self.refuse("unsafe", "", token.span);
        }
        let own = type_path(&self.here, &item.self_ty);
        let outer = std::mem::replace(&mut self.self_type, own);
        visit::visit_item_impl(self, item);
        self.self_type = outer;
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        if let Some(token) = &item.unsafety {
            self.refuse("unsafe", "", token.span);
        }
        visit::visit_item_trait(self, item);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.refuse("unsafe", "", block.unsafe_token.span);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_safety(&mut self, safety: &'ast syn::Safety) {
        if let syn::Safety::Unsafe(token) = safety {
            self.refuse("unsafe", "", token.span);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = name_of(&call.method);
        self.check_leak(Some(&name), Rule::Flag("a value that is dropped"), call.method.span());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_type_ptr(&mut self, pointer: &'ast syn::TypePtr) {
        let what = "a raw pointer";
        let rule = Rule::Flag("a reference: addresses differ between runs");
        self.report(rule, what, what, pointer.star_token.spans[0]);
        visit::visit_type_ptr(self, pointer);
    }

    fn visit_qself(&mut self, qself: &'ast syn::QSelf) {
        visit::visit_qself(self, qself);
        let unknown = Written { module: self.here.clone(), absolute: false, segments: Vec::new() };
        let known = type_path(&self.here, &qself.ty).filter(|_| qself.position == 0);
        self.after_type = Some(known.unwrap_or(unknown));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut full = written(&self.here, path);
        if let Some(before) = self.after_type.take() {
            // `<Box<u8>>::leak`: what follows the type is not a path of its own.
            let name = full.segments.last().cloned().unwrap_or_default();
            let is_unknown = before.segments.is_empty();
            full = Written { segments: [before.segments, full.segments].concat(), ..before };
            if is_unknown || self.outside(&full).is_empty() {
                self.check_associated(&name, Rule::Refuse(""), span_of(path));
            }
        }
        self.check_path(&full, span_of(path));
        visit::visit_path(self, path);
    }

    /// `pub(in a::b)` names a module of the crate.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        self.check_attribute(attribute);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.check_macro_name(&written(&self.here, &mac.path), span_of(&mac.path));
        self.check_tokens(&mac.tokens);
    }

    /// What the parser does not interpret.
    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.check_tokens(tokens);
    }
}

/// The attributes of an item.
fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(it) => &it.attrs,
        syn::Item::Enum(it) => &it.attrs,
        syn::Item::ExternCrate(it) => &it.attrs,
        syn::Item::Fn(it) => &it.attrs,
        syn::Item::ForeignMod(it) => &it.attrs,
        syn::Item::Impl(it) => &it.attrs,
        syn::Item::Macro(it) => &it.attrs,
        syn::Item::Mod(it) => &it.attrs,
        syn::Item::Static(it) => &it.attrs,
        syn::Item::Struct(it) => &it.attrs,
        syn::Item::Trait(it) => &it.attrs,
        syn::Item::TraitAlias(it) => &it.attrs,
        syn::Item::Type(it) => &it.attrs,
        syn::Item::Union(it) => &it.attrs,
        syn::Item::Use(it) => &it.attrs,
        _ => &[],
    }
}
