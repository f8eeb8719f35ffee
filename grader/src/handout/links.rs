//! Links in the texts of a handout: each leads to a file that the handout has.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use super::contents::{Handout, Owner, Selection};

/// What begins and ends a block of code.
const FENCE: &str = "```";

/// A link in a text, or a picture.
struct Link<'a> {
    /// Its bytes.
    range: Range<usize>,
    /// The part between the brackets.
    words: &'a str,
    /// The part between the parentheses.
    target: &'a str,
}

/// Removes the links to labs that the handout does not have: in a table the whole line, elsewhere
/// only the link, so that its words stay.
pub(crate) fn adapt(handout: &mut Handout, selection: &Selection) {
    for (path, file) in handout.files.iter_mut().filter(|(path, file)| is_text(path, file.owner)) {
        let text = String::from_utf8_lossy(&file.contents).into_owned();
        let mut adapted = text.clone();
        let mut removed = text.len(); // Where the last line begins that was removed.
        for Link { range, words, target } in links(&text).into_iter().rev() {
            let (to, _) = resolve(path, target);
            let lab = to.iter().next().and_then(|lab| lab.to_str()).unwrap_or_default();
            if !selection.absent.contains(lab) {
                continue;
            }
            let begin = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
            let end = text[range.end..].find('\n').map_or(text.len(), |end| range.end + end + 1);
            if !text[begin..].starts_with('|') {
                adapted.replace_range(range, words);
            } else if begin < removed {
                adapted.replace_range(begin..end, "");
                removed = begin;
            }
        }
        file.contents = adapted.into_bytes();
    }
}

/// The links that lead nowhere, as lines for people.
pub(crate) fn dead(handout: &Handout) -> Vec<String> {
    let mut dead = Vec::new();
    for (path, file) in handout.files.iter().filter(|(path, file)| is_text(path, file.owner)) {
        let text = String::from_utf8_lossy(&file.contents);
        for Link { range, target, .. } in links(&text) {
            let (to, heading) = resolve(path, target);
            let exists = match handout.files.get(&to) {
                Some(file) => heading.is_none_or(|heading| {
                    headings(&String::from_utf8_lossy(&file.contents)).contains(heading)
                }),
                None => heading.is_none() && handout.files.keys().any(|file| file.starts_with(&to)),
            };
            if !exists {
                let line = text[..range.start].matches('\n').count() + 1;
                dead.push(format!("{}:{line}: {target} leads nowhere", path.display()));
            }
        }
    }
    dead
}

/// Whether a file is a text with links that students do not change.
fn is_text(path: &Path, owner: Owner) -> bool {
    owner == Owner::Staff && path.extension().is_some_and(|extension| extension == "md")
}

/// The links of a text to files, in order; blocks of code have none.
fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for (middle, _) in text.match_indices("](") {
        let (before, after) = (&text[..middle], &text[middle + 2..]);
        let fences = before.lines().filter(|line| line.trim_start().starts_with(FENCE));
        if fences.count() % 2 == 1 {
            continue;
        }
        let (Some(begin), Some(end)) = (before.rfind('['), after.find(')')) else { continue };
        let target = &after[..end];
        if !target.contains("://") {
            let range = begin..middle + 2 + end + 1;
            links.push(Link { range, words: &before[begin + 1..], target });
        }
    }
    links
}

/// The file and the heading to which `target` leads from the text at `path`.
fn resolve<'a>(path: &Path, target: &'a str) -> (PathBuf, Option<&'a str>) {
    let (file, heading) = match target.split_once('#') {
        Some((file, heading)) => (file, Some(heading)),
        None => (target, None),
    };
    if file.is_empty() {
        return (path.to_path_buf(), heading);
    }
    let mut to = path.parent().unwrap_or(Path::new("")).to_path_buf();
    for component in Path::new(file).components() {
        match component {
            Component::ParentDir => drop(to.pop()),
            Component::CurDir => (),
            other => to.push(other),
        }
    }
    (to, heading)
}

/// The names of a text's headings in links, as GitHub makes them.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = text.lines().filter(|line| line.starts_with('#'));
    titles
        .map(|title| {
            let kept = title.trim_start_matches('#').trim().to_lowercase();
            let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handout(guide: &str) -> Handout {
        let mut handout = Handout { files: Default::default() };
        handout.insert("README.md", guide.as_bytes().to_vec());
        handout.insert("raft/README.md", b"# Raft\n\n## What is given, and what not\n".to_vec());
        handout
    }

    #[test]
    fn dead_links_are_found() {
        let guide = "[a](raft/README.md) [b](raft/README.md#what-is-given-and-what-not) [c](raft)\n\
                     [d](https://example.org/x) [e](docs/gone.md)\n```\n[f](gone)\n```\n\
                     [of two\nlines](raft/README.md#gone)\n";
        let expected = [
            "README.md:2: docs/gone.md leads nowhere",
            "README.md:6: raft/README.md#gone leads nowhere",
        ];
        assert_eq!(dead(&handout(guide)), expected);
    }

    #[test]
    fn labs_that_are_not_in_the_handout_lose_their_links() {
        let mut handout = handout(
            "| lab | guide |\n| 2 | [raft](raft/README.md) |\n\
             | [3](kvraft/README.md) | [kvraft](kvraft/README.md) |\n\n\
             See [the guide\nof lab 3](kvraft/README.md#x), or [lab 2](raft/README.md).\n",
        );
        let set = |lab: &str| BTreeSet::from([lab.to_string()]);
        let selection =
            Selection { labs: set("raft"), given: BTreeSet::new(), absent: set("kvraft") };
        adapt(&mut handout, &selection);
        let adapted = &handout.files[Path::new("README.md")].contents;
        let expected = "| lab | guide |\n| 2 | [raft](raft/README.md) |\n\n\
                        See the guide\nof lab 3, or [lab 2](raft/README.md).\n";
        assert_eq!(String::from_utf8_lossy(adapted), expected);
    }
}
