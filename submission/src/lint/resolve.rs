//! Follows names to where they come from.

use std::collections::BTreeSet;

use crate::lint::modules::{Modules, Written};
use crate::lint::rules;

/// What a path means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    /// Something in another crate, whose name comes first.
    Outside(Vec<String>),
    /// Perhaps something in another crate: everything in a module of that crate is imported, or the
    /// name is `log`, and the lab has its own `log`.
    Perhaps(Vec<String>),
    /// Something that the crate itself defines, a generic parameter, a primitive type.
    Inside,
    /// Names that refer to each other in a circle, or to too many others.
    Unclear,
}

/// Steps after which a path is given up: names that refer to each other in a row.
const MAX_STEPS: usize = 2_000;

/// Resolves the paths of one crate.
pub(crate) struct Resolver<'a> {
    pub(crate) modules: &'a Modules,
    /// The name of the crate itself.
    pub(crate) krate: &'a str,
}

/// One search for the meanings of a path.
struct Search<'a> {
    resolver: &'a Resolver<'a>,
    /// The names that were followed, each in its module: none is followed twice.
    seen: BTreeSet<(Vec<String>, Vec<String>)>,
    /// The globs that are being looked into: the path of a glob does not depend on the glob.
    globs: BTreeSet<Written>,
    steps: usize,
    found: BTreeSet<Meaning>,
}

impl Resolver<'_> {
    /// Every meaning that a path may have.
    pub(crate) fn resolve(&self, path: &Written) -> BTreeSet<Meaning> {
        let mut search = Search {
            resolver: self,
            seen: BTreeSet::new(),
            globs: BTreeSet::new(),
            steps: 0,
            found: BTreeSet::new(),
        };
        search.follow(path);
        search.found
    }
}

impl Search<'_> {
    /// Follows a path from its first segment.
    fn follow(&mut self, path: &Written) {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.found.insert(Meaning::Unclear);
            return;
        }
        let Some((first, rest)) = path.segments.split_first() else {
            self.found.insert(Meaning::Inside);
            return;
        };
        let here = &path.module[..];
        if path.absolute {
            return self.leave(&path.segments);
        }
        match first.as_str() {
            "crate" => self.enter(&[], rest),
            "self" => self.enter(here, rest),
            "super" => self.enter(&here[..here.len().saturating_sub(1)], rest),
            _ => {
                let is_known = self.look_up(here, &path.segments);
                // An unknown name comes from the other crate of which everything is imported,
                // rather than from a crate that is not in the table.
                let is_perhaps = self.found.iter().any(|it| matches!(it, Meaning::Perhaps(_)));
                match rules::is_root(first) {
                    // A definition does not hide a crate everywhere: a function has another
                    // namespace, and an item in a block or for tests has another scope.
                    true if is_known && first == "log" => {
                        self.found.insert(Meaning::Perhaps(path.segments.clone()));
                    }
                    true => self.outside(&path.segments),
                    false if is_known || is_perhaps => {}
                    false => self.outside(&path.segments),
                }
            }
        }
    }

    /// Continues with `rest` in a module of the crate.
    fn enter(&mut self, module: &[String], rest: &[String]) {
        match rest.split_first() {
            None => {
                self.found.insert(Meaning::Inside);
            }
            Some((first, rest)) if first == "super" => {
                self.enter(&module[..module.len().saturating_sub(1)], rest);
            }
            Some((first, rest)) if first == "self" => self.enter(module, rest),
            Some(_) => {
                if !self.look_up(module, rest) {
                    self.found.insert(Meaning::Inside);
                }
            }
        }
    }

    /// Looks a name up in a module: in what it imports, defines, and imports as a whole. Returns
    /// whether the module knows the name.
    fn look_up(&mut self, module: &[String], path: &[String]) -> bool {
        if !self.seen.insert((module.to_vec(), path.to_vec())) {
            return false;
        }
        let modules = self.resolver.modules;
        let Some(contents) = modules.by_path.get(module) else { return false };
        let Some((first, rest)) = path.split_first() else { return false };
        let mut known = false;
        for target in contents.names.get(first).into_iter().flatten() {
            known = true;
            let mut target = target.clone();
            // `use log::log`: a name cannot be imported from itself, so this is a crate.
            let is_crate = !target.absolute
                && target.module == module
                && target.segments.first() == Some(first);
            target.segments.extend_from_slice(rest);
            if is_crate { self.leave(path) } else { self.follow(&target) }
        }
        let mut inner = module.to_vec();
        inner.push(first.clone());
        if modules.by_path.contains_key(&inner) {
            known = true;
            self.enter(&inner, rest);
        } else if contents.items.contains(first) {
            known = true;
            self.found.insert(Meaning::Inside);
        }
        // Also for a known name: what is defined may have another namespace or scope.
        for glob in &contents.globs {
            if self.globs.insert(glob.clone()) {
                known |= self.look_up_glob(glob, path);
                self.globs.remove(glob);
            }
        }
        known
    }

    /// Looks a name up in everything that a glob imports.
    fn look_up_glob(&mut self, glob: &Written, path: &[String]) -> bool {
        let mut target = glob.clone();
        // A glob of a module of this crate: what that module knows. Otherwise the other crate may
        // have the name, or not.
        if let Some(module) = self.module_of(&target) {
            return self.look_up(&module, path);
        }
        target.segments.extend_from_slice(path);
        let mut inner = Search {
            resolver: self.resolver,
            seen: self.seen.clone(),
            globs: self.globs.clone(),
            steps: self.steps,
            found: BTreeSet::new(),
        };
        inner.follow(&target);
        self.steps = inner.steps;
        for meaning in inner.found {
            if let Meaning::Outside(path) | Meaning::Perhaps(path) = meaning {
                self.found.insert(Meaning::Perhaps(path));
            }
        }
        false
    }

    /// The module of this crate that a path names by itself.
    fn module_of(&self, path: &Written) -> Option<Vec<String>> {
        let (first, rest) = path.segments.split_first()?;
        let here = &path.module[..];
        let mut module = match first.as_str() {
            _ if path.absolute => return None,
            "crate" => Vec::new(),
            "self" => here.to_vec(),
            "super" => here[..here.len().saturating_sub(1)].to_vec(),
            name if name == self.resolver.krate => Vec::new(),
            name => [here, &[name.to_string()]].concat(),
        };
        for name in rest {
            match name.as_str() {
                "super" => {
                    module.pop();
                }
                name => module.push(name.to_string()),
            }
        }
        self.resolver.modules.by_path.contains_key(&module).then_some(module)
    }

    /// A path whose first name comes from outside of the module.
    fn outside(&mut self, path: &[String]) {
        let (first, rest) = (&path[0], &path[1..]);
        if let Some(full) = rules::prelude(first) {
            let full = full.split("::").map(str::to_string);
            self.found.insert(Meaning::Outside(full.chain(rest.iter().cloned()).collect()));
        } else if is_crate_like(first) {
            self.leave(path);
        } else {
            self.found.insert(Meaning::Inside);
        }
    }

    /// A path that begins with a crate's name.
    fn leave(&mut self, path: &[String]) {
        if path[0] == self.resolver.krate {
            self.enter(&[], &path[1..]);
        } else {
            self.found.insert(Meaning::Outside(path.to_vec()));
        }
    }
}

/// Whether a name that is not defined can be a crate: neither a type nor a generic parameter.
fn is_crate_like(name: &str) -> bool {
    const PRIMITIVE: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "str", "u8",
        "u16", "u32", "u64", "u128", "usize",
    ];
    name.starts_with(|c: char| c.is_lowercase() || c == '_') && !PRIMITIVE.contains(&name)
}
