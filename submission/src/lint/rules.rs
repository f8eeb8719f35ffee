//! Looks paths up in the table.

use crate::World;
use crate::lint::allowed::{
    LEAKY, MACROS,
    Rule::{self, Allow, Flag, Refuse},
    tables,
};

/// The rule for a macro of the standard library that is called without a path.
pub(crate) fn std_macro(name: &str, world: World) -> Rule {
    match name {
        _ if MACROS.contains(&name) => Allow,
        "cfg" => Flag("the same code in every build"),
        "env" if world == World::Processes => Allow,
        "thread_local" => Refuse("a field of the server"),
        "include" => Refuse("a module"),
        "include_str" | "include_bytes" => Refuse("a literal"),
        _ => Refuse(""),
    }
}

/// Whether a macro of the standard library reads files or the environment, or shares state.
pub(crate) fn is_forbidden_macro(name: &str) -> bool {
    matches!(
        name,
        "include" | "include_str" | "include_bytes" | "env" | "option_env" | "thread_local"
    )
}

/// The names that a file can use without importing them, with their full paths.
pub(crate) fn prelude(name: &str) -> Option<&'static str> {
    Some(match name {
        "Box" => "std::boxed::Box",
        "Option" => "std::option::Option",
        "Result" => "std::result::Result",
        "String" => "std::string::String",
        "Vec" => "std::vec::Vec",
        _ => return None,
    })
}

/// Whether a name that a file does not define stands for something that the tables know: a crate or
/// a type.
pub(crate) fn is_root(name: &str) -> bool {
    let starts = |(entry, _): &(&str, Rule)| entry.split("::").next() == Some(name);
    matches!(name, "core" | "alloc")
        || prelude(name).is_some()
        || tables(World::Processes).any(starts)
}

/// The rule for a path outside of the crate, whose first segment is a crate's name.
pub(crate) fn rule(path: &[String], world: World) -> Rule {
    let path = path_of(path);
    if LEAKY.iter().any(|name| path.ends_with(&format!("::{name}"))) && path.starts_with("std::") {
        return Refuse("");
    }
    if let ["std", name] = path.split("::").collect::<Vec<_>>()[..]
        && (MACROS.contains(&name) || std_macro(name, world) != Refuse(""))
    {
        return std_macro(name, world);
    }
    match longest(&path, world) {
        Some(rule) => rule,
        None if leads_to_entries(&path, world) => Allow,
        None => Refuse(""),
    }
}

/// The rule for importing everything below a path: a module that is allowed only in part must not
/// be imported as a whole, because a later name would not show where it comes from.
pub(crate) fn glob_rule(path: &[String], world: World) -> Rule {
    let text = path_of(path);
    let below = format!("{text}::");
    let is_partial = tables(world).any(|(entry, rule)| entry.starts_with(&below) && *rule != Allow);
    match longest(&text, world) {
        Some(Allow) if is_partial => Refuse("imports by name"),
        None if leads_to_entries(&text, world) => Refuse("imports by name"),
        Some(rule) => rule,
        None => Refuse(""),
    }
}

/// The rule for importing a path inside of a macro, where a later use of the name cannot always be
/// followed: a module that is allowed only in part is refused.
pub(crate) fn macro_import_rule(path: &[String], world: World) -> Rule {
    match rule(path, world) {
        Allow if is_partial(path, world) => Refuse("imports outside of macros"),
        rule => rule,
    }
}

/// Whether a path is a module that is allowed only in part.
pub(crate) fn is_partial(path: &[String], world: World) -> bool {
    let path = path_of(path);
    longest(&path, world).is_none() && leads_to_entries(&path, world)
}

/// Whether a name is that of a crate that is allowed only in part. `log`, a common name, is not
/// counted.
pub(crate) fn is_split(name: &str) -> bool {
    matches!(name, "std" | "core" | "alloc" | "labrpc" | "rand")
}

/// The path as the tables have it.
fn path_of(path: &[String]) -> String {
    let text = path.join("::");
    match path.first().map(String::as_str) {
        Some("core" | "alloc") => text.replacen(&path[0], "std", 1),
        _ => text,
    }
}

/// The rule of the longest entry that is the path or a module above it.
fn longest(path: &str, world: World) -> Option<Rule> {
    let mut best: Option<(&str, Rule)> = None;
    for (entry, rule) in tables(world) {
        let rest = path.strip_prefix(entry);
        let matches = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        if matches && best.is_none_or(|(found, _)| entry.len() >= found.len()) {
            best = Some((entry, *rule));
        }
    }
    best.map(|(_, rule)| rule)
}

/// Whether the path is a module above something that is allowed.
fn leads_to_entries(path: &str, world: World) -> bool {
    let below = format!("{path}::");
    tables(world).any(|(entry, rule)| entry.starts_with(&below) && !matches!(rule, Refuse(_)))
}
