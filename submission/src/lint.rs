//! Checks sources against the allow list.
//!
//! The sources are parsed, and every path is followed to the crate that it comes from: through
//! `use ... as`, nested imports, globs, re-exports and type aliases. The tokens of macros are
//! searched for the same paths. A parser does not know types, so it cannot tell whose method
//! `x.spawn()` is; but a value of a type that has such a method has its origin in some path.
//!
//! | module | contents |
//! |---|---|
//! | [`allowed`] | the table of what code may name |
//! | `modules`, `resolve` | which names a crate's modules have, and what they stand for |
//! | `rules` | looks paths up in the table |
//! | `visitor`, `tokens`, `attributes` | the search in code, in macros and in attributes |
//! | `limits` | why no source overflows the stack |

pub mod allowed;
mod attributes;
mod finding;
pub mod limits;
mod modules;
mod resolve;
mod rules;
mod tokens;
mod visitor;

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io, thread};

use proc_macro2::TokenStream;
use syn::visit::Visit as _;

pub use self::finding::{Finding, Severity};

use self::limits::{MAX_BRACKETS, MAX_FILE, MAX_WEIGHT, STACK, weight};
use self::modules::{ModulePath, Modules};
use self::resolve::Resolver;
use self::visitor::Visitor;
use crate::World;
use crate::tree::Tree;

/// A source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path from the root of the tree, with slashes: `raft/src/log.rs`.
    pub path: String,
    /// The contents.
    pub contents: Vec<u8>,
}

/// Checks the sources of one lab, which lie in `<lab>/src`.
pub fn check(lab: &str, sources: &[Source]) -> Vec<Finding> {
    let read = || check_here(lab, sources);
    thread::scope(|scope| {
        let reader = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read);
        let findings = reader.ok().and_then(|reader| reader.join().ok());
        findings.unwrap_or_else(|| vec![whole_file(&format!("{lab}/src"), "cannot be read")])
    })
}

/// Checks the sources of one lab of the tree at `root`.
///
/// # Errors
/// If the directory cannot be read.
pub fn check_lab(root: &Path, lab: &str) -> io::Result<Vec<Finding>> {
    let tree = Tree::read(root, &[lab])?;
    let mut findings = Vec::new();
    let mut sources = Vec::new();
    for file in &tree.files {
        let path = root.join(&file.path);
        if fs::metadata(&path)?.len() > MAX_FILE {
            findings.push(whole_file(&file.path, &format!("larger than {} KiB", MAX_FILE >> 10)));
        } else {
            sources.push(Source { path: file.path.clone(), contents: fs::read(&path)? });
        }
    }
    findings.extend(check(lab, &sources));
    findings.sort();
    Ok(findings)
}

/// Checks on a thread whose stack is large enough.
fn check_here(lab: &str, sources: &[Source]) -> Vec<Finding> {
    let mut findings = BTreeSet::new();
    let mut modules = Modules::default();
    let mut files = Vec::new();
    for source in sources {
        match parse(source) {
            Ok(file) => {
                let here = module_path(lab, &source.path);
                modules.add(&here, &file);
                files.push((source, here, file));
            }
            Err(finding) => {
                findings.insert(finding);
            }
        }
    }
    let resolver = Resolver { modules: &modules, krate: lab };
    for (source, here, file) in &files {
        let mut visitor = Visitor {
            resolver: &resolver,
            world: World::of(lab, &source.path),
            file: &source.path,
            here: here.clone(),
            in_tests: modules.is_for_tests(here),
            is_program: is_program(lab, &source.path, &modules),
            after_type: None,
            self_type: None,
            findings: BTreeSet::new(),
        };
        visitor.visit_file(file);
        findings.append(&mut visitor.findings);
    }
    findings.into_iter().collect()
}

/// Whether a file is a program on real processes, and not a module of the library.
fn is_program(lab: &str, path: &str, modules: &Modules) -> bool {
    let inside = path.strip_prefix(lab).and_then(|rest| rest.strip_prefix("/src/"));
    let names = |path: &str| path.split('/').map(str::to_string).collect::<Vec<_>>();
    let module = inside.and_then(|inside| inside.strip_suffix(".rs")).map(names);
    World::of(lab, path) == World::Processes
        && module.is_some_and(|module| {
            module.last().is_some_and(|name| name == "main") && !modules.declares(&module)
        })
}

/// Parses a file, if its size and depth allow it.
fn parse(source: &Source) -> Result<syn::File, Finding> {
    let refuse = |why: &str| whole_file(&source.path, why);
    if source.contents.len() as u64 > MAX_FILE {
        return Err(refuse(&format!("larger than {} KiB", MAX_FILE >> 10)));
    }
    let text = std::str::from_utf8(&source.contents).map_err(|_| refuse("is not UTF-8"))?;
    let cannot = |error: syn::Error| Finding {
        line: error.span().start().line,
        ..refuse(&format!("cannot be parsed: {error}"))
    };
    let tokens: TokenStream = text.parse().map_err(|error| cannot(syn::Error::from(error)))?;
    match weight(&tokens, 0) {
        Some(weight) if weight <= MAX_WEIGHT => syn::parse_file(text).map_err(cannot),
        Some(_) => Err(refuse("has an expression that is too long to be read")),
        None => Err(refuse(&format!("brackets are nested more than {MAX_BRACKETS} deep"))),
    }
}

/// A finding about a file as a whole.
fn whole_file(path: &str, why: &str) -> Finding {
    Finding {
        file: path.to_string(),
        line: 0,
        severity: Severity::Refused,
        written: why.to_string(),
        resolved: why.to_string(),
        instead: String::new(),
    }
}

/// The module that a file is: `raft/src/log/tests.rs` is `log::tests`. `#[path]`, which could make
/// it another, is refused.
fn module_path(lab: &str, path: &str) -> ModulePath {
    let inside = path.strip_prefix(lab).and_then(|rest| rest.strip_prefix("/src/"));
    let inside = inside.unwrap_or(path);
    let inside = inside.strip_suffix(".rs").unwrap_or(inside);
    let mut module: ModulePath = inside.split('/').map(str::to_string).collect();
    if module.len() > 1 && module.last().is_some_and(|name| name == "mod")
        || module.len() == 1 && matches!(module[0].as_str(), "lib" | "main")
    {
        module.pop();
    }
    module
}
