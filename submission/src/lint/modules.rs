//! The modules of a crate: what each one defines and imports.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Span;
use syn::visit::{self, Visit};

/// A module's path inside its crate: `["rsm", "machine"]`; empty for the root.
pub(crate) type ModulePath = Vec<String>;

/// A path that is written in a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Written {
    /// Where it is written.
    pub(crate) module: ModulePath,
    /// Whether it begins with `::`.
    pub(crate) absolute: bool,
    /// Its segments.
    pub(crate) segments: Vec<String>,
}

/// One name or glob of a `use` item.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) path: Written,
    /// The name that it gets here; `None` for a glob.
    pub(crate) name: Option<String>,
    pub(crate) span: Span,
}

/// What one module contains. Code blocks count as part of their module, so a name may have several
/// meanings, and all of them are checked.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// Names that it defines as a type, a value or a module.
    pub(crate) items: BTreeSet<String>,
    /// Macros that it defines.
    pub(crate) macros: BTreeSet<String>,
    /// Names that it imports or defines as another name for a type.
    pub(crate) names: BTreeMap<String, BTreeSet<Written>>,
    /// Modules and enums from which it imports everything.
    pub(crate) globs: BTreeSet<Written>,
}

/// All modules of a crate.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    pub(crate) by_path: BTreeMap<ModulePath, Module>,
    /// The declarations of each module: whether each is for tests alone.
    declared: BTreeMap<ModulePath, Vec<bool>>,
}

impl Modules {
    /// Adds what a file contains, which is the module `path`.
    pub(crate) fn add(&mut self, path: &ModulePath, file: &syn::File) {
        let mut collector = Collector { modules: self, here: path.clone(), in_macro: false };
        collector.enter();
        collector.visit_file(file);
    }

    /// Whether a file declares this module.
    pub(crate) fn declares(&self, path: &[String]) -> bool {
        self.declared.contains_key(path)
    }

    /// Whether a module, or one around it, exists only in the crate's own tests: it has one
    /// declaration, which is for tests.
    pub(crate) fn is_for_tests(&self, path: &[String]) -> bool {
        let is_for_tests = |end| self.declared.get(&path[..end]).is_some_and(|it| *it == [true]);
        (1..=path.len()).any(is_for_tests)
    }
}

/// Collects the contents of one file.
struct Collector<'a> {
    modules: &'a mut Modules,
    here: ModulePath,
    /// Whether the code consists of the tokens of a macro.
    in_macro: bool,
}

impl Collector<'_> {
    /// The module that is being read.
    fn enter(&mut self) -> &mut Module {
        self.modules.by_path.entry(self.here.clone()).or_default()
    }

    /// Notes that the module defines a name.
    fn define(&mut self, name: &syn::Ident) {
        let name = name_of(name);
        self.enter().items.insert(name);
    }
}

impl<'ast> Visit<'ast> for Collector<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Const(item) => self.define(&item.ident),
            syn::Item::Enum(item) => self.define(&item.ident),
            syn::Item::Fn(item) => self.define(&item.sig.ident),
            syn::Item::Static(item) => self.define(&item.ident),
            syn::Item::Struct(item) => self.define(&item.ident),
            syn::Item::Trait(item) => self.define(&item.ident),
            syn::Item::TraitAlias(item) => self.define(&item.ident),
            syn::Item::Union(item) => self.define(&item.ident),
            syn::Item::Macro(syn::ItemMacro { ident: Some(ident), .. }) => {
                let name = name_of(ident);
                self.enter().macros.insert(name);
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.define(&item.ident);
        if let syn::Type::Path(syn::TypePath { path, .. }) = &*item.ty {
            let target = written(&self.here, path);
            self.enter().names.entry(name_of(&item.ident)).or_default().insert(target);
        }
        visit::visit_item_type(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        for Import { path, name, .. } in imports(&self.here, item) {
            let module = self.enter();
            match name {
                Some(name) => module.names.entry(name).or_default().insert(path),
                None => module.globs.insert(path),
            };
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.define(&item.ident);
        self.here.push(name_of(&item.ident));
        // A macro may drop the attribute, so it declares no module for tests.
        let for_tests = is_for_tests(&item.attrs) && !self.in_macro;
        self.modules.declared.entry(self.here.clone()).or_default().push(for_tests);
        if item.content.is_some() {
            self.enter();
        }
        visit::visit_item_mod(self, item);
        self.here.pop();
    }

    /// A macro may define and import what it likes; what can be read of it counts.
    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        if let Ok(items) = syn::parse2::<syn::File>(mac.tokens.clone()) {
            for item in &items.items {
                if !matches!(item, syn::Item::Verbatim(_)) {
                    let here = self.here.clone();
                    let mut inner = Collector { modules: self.modules, here, in_macro: true };
                    inner.visit_item(item);
                }
            }
        }
    }
}

/// Whether an item has the attribute `#[cfg(test)]`.
pub(crate) fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => {
            list.path.is_ident("cfg") && list.tokens.to_string().trim() == "test"
        }
        _ => false,
    })
}

/// The names and globs of a `use` item in the module `here`.
pub(crate) fn imports(here: &ModulePath, item: &syn::ItemUse) -> Vec<Import> {
    let absolute = item.leading_colon.is_some();
    let start = Written { module: here.clone(), absolute, segments: Vec::new() };
    let mut found = Vec::new();
    branch(&item.tree, start, &mut found);
    found
}

/// Adds the leaves of a tree of imports below `path`.
fn branch(tree: &syn::UseTree, mut path: Written, found: &mut Vec<Import>) {
    let mut leaf = |mut path: Written, ident: &syn::Ident, name: String| {
        let span = ident.span();
        // `use a::{self as b}` is `use a as b`.
        let is_self = name_of(ident) == "self" && !path.segments.is_empty();
        if !is_self {
            path.segments.push(name_of(ident));
        }
        let name = if name == "self" { path.segments.last().cloned() } else { Some(name) };
        found.push(Import { path, name, span });
    };
    match tree {
        syn::UseTree::Path(it) => {
            path.segments.push(name_of(&it.ident));
            branch(&it.tree, path, found);
        }
        syn::UseTree::Name(it) => leaf(path, &it.ident, name_of(&it.ident)),
        syn::UseTree::Rename(it) => leaf(path, &it.ident, name_of(&it.rename)),
        syn::UseTree::Glob(it) => {
            let span = it.star_token.spans[0];
            found.push(Import { path, name: None, span });
        }
        syn::UseTree::Group(it) => {
            for item in &it.items {
                branch(item, path.clone(), found);
            }
        }
    }
}

/// A path of the syntax tree, without its generic arguments.
pub(crate) fn written(here: &[String], path: &syn::Path) -> Written {
    Written {
        module: here.to_vec(),
        absolute: path.leading_colon.is_some(),
        segments: path.segments.iter().map(|segment| name_of(&segment.ident)).collect(),
    }
}

/// An identifier without `r#`.
pub(crate) fn name_of(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_string).unwrap_or(name)
}
