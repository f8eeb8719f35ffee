//! Expected outputs, in the simplest way there is. Knows nothing of the code under test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Lines of the output, sorted.
pub type Lines = Vec<String>;

/// Words of a text. The generated books hold no letters for which the standard library disagrees
/// with the definition of a word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

/// What `wc` or `indexer` makes of these books.
pub fn output_of(app: &str, books: &[(String, String)]) -> Lines {
    match app {
        "wc" => word_count(books),
        "indexer" => index(books),
        _ => panic!("the oracle does not know the app '{app}'"),
    }
}

/// How often each word occurs.
pub fn word_count(books: &[(String, String)]) -> Lines {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for word in books.iter().flat_map(|(_, text)| words(text)) {
        *counts.entry(word).or_default() += 1;
    }
    sorted(counts.iter().map(|(word, count)| format!("{word} {count}")))
}

/// In which books each word occurs.
pub fn index(books: &[(String, String)]) -> Lines {
    let mut index: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, text) in books {
        for word in words(text) {
            let names = index.entry(word).or_default();
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    sorted(index.iter_mut().map(|(word, names)| {
        names.sort_unstable();
        format!("{word} {} {}", names.len(), names.join(","))
    }))
}

/// What the crashing app computes if it survives.
pub fn survivors(books: &[(String, String)]) -> Lines {
    let join = |mut values: Vec<String>| {
        values.sort();
        values.join(" ")
    };
    let all = |f: &dyn Fn(&(String, String)) -> String| join(books.iter().map(f).collect());
    sorted([
        format!("a {}", all(&|(name, _)| name.clone())),
        format!("b {}", all(&|(name, _)| name.len().to_string())),
        format!("c {}", all(&|(_, text)| text.len().to_string())),
        format!("d {}", all(&|_| "xyzzy".to_string())),
    ])
}

/// Lines in byte order.
pub fn sorted(lines: impl IntoIterator<Item = String>) -> Lines {
    let mut lines: Lines = lines.into_iter().collect();
    lines.sort();
    lines
}

/// The books in a directory, under the names by which a job in a directory beside them knows them.
pub fn read_books(directory: &Path) -> Vec<(String, String)> {
    let mut books: Vec<_> = fs::read_dir(directory)
        .expect("the directory is ours")
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let text = fs::read_to_string(entry.path()).ok()?;
            name.starts_with("pg-").then(|| (format!("../{name}"), text))
        })
        .collect();
    books.sort();
    books
}
