//! Adapts manifests, the catalog and cargo's configuration to the handout, which has fewer files.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use judge::Error;
use toml_edit::{Array, DocumentMut, Item, TableLike, value};

use super::contents::{Handout, INFRASTRUCTURE, Selection};

/// Aliases of commands that students do not have.
const STAFF_COMMANDS: [&str; 2] = ["grade", "grader"];

/// Targets that have a path. Those whose file is not in the handout go.
const TARGETS: [&str; 4] = ["bench", "bin", "example", "test"];

/// What cargo would find by itself. In a lab, a file of a student must not become a target.
const AUTOMATIC: [&str; 5] = ["autobenches", "autobins", "autoexamples", "autotests", "build"];

/// Tables with the names of dependencies.
const DEPENDENCIES: [&str; 2] = ["dependencies", "dev-dependencies"];

/// Adapts all files; `lints` is the lint table of the handout.
///
/// # Errors
/// If one of them is not valid TOML.
pub(crate) fn adapt(
    handout: &mut Handout,
    selection: &Selection,
    lints: &Path,
) -> Result<(), Error> {
    let mut members = BTreeSet::new();
    let mut used = BTreeSet::new();
    for path in handout.files.keys().cloned().collect::<Vec<_>>() {
        if path.file_name().is_some_and(|name| name == "Cargo.toml")
            && let Some(package) = path.parent().and_then(Path::to_str)
            && !package.is_empty()
        {
            members.insert(package.to_string());
            edit(handout, &path, |manifest, files| {
                remove_missing_targets(manifest, package, files);
                if selection.labs.contains(package) {
                    for key in AUTOMATIC {
                        manifest["package"][key] = value(false);
                    }
                }
                let names = DEPENDENCIES.iter().filter_map(|table| manifest.get(table));
                let names = names.filter_map(Item::as_table_like);
                used.extend(names.flat_map(|table| table.iter().map(|(name, _)| name.to_string())));
            })?;
        }
    }
    let lints = parse(lints, &fs::read(lints).map_err(Error::file("read", lints))?)?;
    edit(handout, Path::new("Cargo.toml"), |manifest, _| {
        let workspace = &mut manifest["workspace"];
        let mut list: Array = members.iter().map(String::as_str).collect();
        list.iter_mut().for_each(|member| member.decor_mut().set_prefix("\n    "));
        list.set_trailing("\n");
        list.set_trailing_comma(true);
        workspace["members"] = list.into();
        workspace["lints"] = lints.as_item().clone();
        // Students do not change these crates, so they are built once: in one unit, which takes a
        // quarter less processor time. Units are for later, incremental builds.
        for package in INFRASTRUCTURE {
            manifest["profile"]["dev"]["package"][package]["codegen-units"] = value(1);
        }
        let workspace = &mut manifest["workspace"];
        if let Some(table) = workspace["dependencies"].as_table_like_mut() {
            retain(table, |name| used.contains(name));
        }
    })?;
    edit(handout, Path::new(".cargo/config.toml"), |config, _| {
        if let Some(table) = config["alias"].as_table_like_mut() {
            retain(table, |name| !STAFF_COMMANDS.contains(&name));
        }
        config.remove("build"); // It documents private items: the reference is to be read.
    })?;
    edit(handout, Path::new("lab/labs.toml"), |catalog, _| {
        if let Some(labs) = catalog["lab"].as_array_of_tables_mut() {
            labs.retain(|lab| {
                let name = lab["name"].as_str().unwrap_or_default();
                lab.contains_key("health_check") || selection.labs.contains(name)
            });
        }
    })
}

/// Removes the targets of a package whose files the handout does not have.
fn remove_missing_targets(manifest: &mut DocumentMut, package: &str, files: &BTreeSet<PathBuf>) {
    for target in TARGETS {
        let Some(targets) = manifest.get_mut(target).and_then(Item::as_array_of_tables_mut) else {
            continue;
        };
        targets.retain(|target| {
            let path = target.get("path").and_then(Item::as_str);
            path.is_none_or(|path| files.contains(&Path::new(package).join(path)))
        });
        if targets.is_empty() {
            manifest.remove(target);
        }
    }
}

/// Removes all keys but those that `keep` accepts.
fn retain(table: &mut dyn TableLike, keep: impl Fn(&str) -> bool) {
    let names: Vec<String> = table.iter().map(|(name, _)| name.to_string()).collect();
    for name in names.iter().filter(|name| !keep(name)) {
        table.remove(name);
    }
}

/// Lets `change` edit a file. It also gets the paths of all files.
fn edit(
    handout: &mut Handout,
    path: &Path,
    change: impl FnOnce(&mut DocumentMut, &BTreeSet<PathBuf>),
) -> Result<(), Error> {
    let files = handout.files.keys().cloned().collect();
    let missing = || Error::harness(format!("the handout has no {}", path.display()));
    let file = handout.files.get_mut(path).ok_or_else(missing)?;
    let mut document = parse(path, &file.contents)?;
    change(&mut document, &files);
    file.contents = document.to_string().into_bytes();
    Ok(())
}

/// Parses a file.
fn parse(path: &Path, contents: &[u8]) -> Result<DocumentMut, Error> {
    let wrong = |error: &dyn std::fmt::Display| {
        Error::harness(format!("{} is not valid: {error}", path.display()))
    };
    let text = std::str::from_utf8(contents).map_err(|error| wrong(&error))?;
    text.parse().map_err(|error: toml_edit::TomlError| wrong(&error))
}
