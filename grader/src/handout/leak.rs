//! Finds parts of a solution in the handout.
//!
//! Sources are compared as tokens, so that neither comments nor layout matter: a *shingle* is a
//! sequence of [`LENGTH`] tokens. Comments are compared as lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use judge::{Error, Workspace};
use proc_macro2::{TokenStream, TokenTree};

use super::contents::{Handout, Owner, Selection};
use crate::sources::tracked;

/// The number of tokens in a shingle.
const LENGTH: usize = 12;

/// The number of consecutive shingles from which a sample in a text counts: samples are short, and
/// their idioms are everybody's.
const IN_SAMPLES: usize = 13;

/// The number of words from which a line of a comment counts.
const WORDS: usize = 8;

/// A part of a solution in the handout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Leak {
    pub(crate) file: PathBuf,
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// What must not be in the handout.
#[derive(Debug, Default)]
pub(crate) struct Solutions {
    shingles: BTreeSet<Vec<String>>,
    comments: BTreeSet<String>,
    /// Interfaces that skeletons may share with solutions: the paragraphs of the files
    /// `signatures.txt`.
    listed: Vec<Vec<String>>,
}

/// A token with its line, counted from 1.
#[derive(Clone, Debug)]
struct Token {
    text: String,
    line: usize,
}

impl Solutions {
    /// The solutions of the labs of which the handout has a skeleton.
    ///
    /// # Errors
    /// If a source cannot be read or is not Rust.
    pub(crate) fn read(
        workspace: &Workspace,
        handout: &Handout,
        selection: &Selection,
    ) -> Result<Self, Error> {
        let mut solutions = Self::default();
        for path in tracked(workspace)? {
            let lab = path.iter().next().and_then(|lab| lab.to_str()).unwrap_or_default();
            let has_skeleton = selection.labs.contains(lab) && !selection.given.contains(lab);
            let is_source = path.starts_with(Path::new(lab).join("src"))
                && path.extension().is_some_and(|extension| extension == "rs");
            let is_locked = handout.files.get(&path).is_some_and(|file| file.owner == Owner::Staff);
            let is_list = path.ends_with("signatures.txt") && path.starts_with("handout");
            let is_solution = has_skeleton && is_source && !is_locked;
            if !is_list && !is_solution {
                continue;
            }
            let from = workspace.root().join(&path);
            let text = fs::read_to_string(&from).map_err(Error::file("read", &from))?;
            if is_list {
                for paragraph in text.split("\n\n") {
                    let tokens = tokens(paragraph).ok_or_else(|| {
                        let (path, first) = (path.display(), paragraph.lines().next());
                        let first = first.unwrap_or_default();
                        Error::harness(format!("{path}: the brackets are not balanced: {first}"))
                    })?;
                    solutions.listed.push(texts(&tokens));
                }
            } else {
                let tokens = tokens(&text).ok_or_else(|| not_rust(&path))?;
                solutions.shingles.extend(tokens.windows(LENGTH).map(texts));
                solutions.comments.extend(comments(&text).map(|(_, comment)| comment));
            }
        }
        Ok(solutions)
    }

    /// The parts of solutions in the students' files, and in the code blocks of the texts.
    ///
    /// # Errors
    /// If a skeleton is not Rust.
    pub(crate) fn leaks(&self, handout: &Handout) -> Result<Vec<Leak>, Error> {
        let mut leaks = Vec::new();
        for (path, file) in &handout.files {
            let text = String::from_utf8_lossy(&file.contents);
            let extension = path.extension().and_then(|extension| extension.to_str());
            match extension {
                Some("rs") if file.owner == Owner::Student => {
                    let tokens = tokens(&text).ok_or_else(|| not_rust(path))?;
                    leaks.extend(self.shared(path, &tokens, 0, 1));
                    let comments = comments(&text);
                    let leaked = comments.filter(|(_, comment)| self.comments.contains(comment));
                    leaks.extend(leaked.map(|(line, text)| Leak {
                        file: path.clone(),
                        line,
                        text,
                    }));
                }
                Some("md") => {
                    for (line, block) in code_blocks(&text) {
                        let tokens = tokens(&block).unwrap_or_default();
                        leaks.extend(self.shared(path, &tokens, line, IN_SAMPLES));
                    }
                }
                _ => {}
            }
        }
        Ok(leaks)
    }

    /// The shingles that these tokens share with a solution, one per line, where at least
    /// `at_least` follow each other. `before` lines stand above them.
    fn shared(&self, path: &Path, tokens: &[Token], before: usize, at_least: usize) -> Vec<Leak> {
        let mut found = BTreeMap::new();
        for piece in self.without_listed(tokens) {
            let is_shared = |window: &&[Token]| self.shingles.contains(&texts(window));
            let windows: Vec<&[Token]> = piece.windows(LENGTH).collect();
            for run in windows.chunk_by(|a, b| is_shared(a) == is_shared(b)) {
                if run.len() >= at_least && is_shared(&run[0]) {
                    for window in run {
                        let text = || texts(window).join(" ");
                        found.entry(before + window[0].line).or_insert_with(text);
                    }
                }
            }
        }
        let leak = |(line, text)| Leak { file: path.to_path_buf(), line, text };
        found.into_iter().map(leak).collect()
    }

    /// The pieces that remain when listed interfaces and imports are cut out.
    fn without_listed<'t>(&self, tokens: &'t [Token]) -> Vec<&'t [Token]> {
        let (mut pieces, mut start, mut place) = (Vec::new(), 0, 0);
        while place < tokens.len() {
            let rest = &tokens[place..];
            let is_here = |listed: &&Vec<String>| {
                let same = |(token, text): (&Token, &String)| token.text == *text;
                listed.len() <= rest.len() && rest.iter().zip(*listed).all(same)
            };
            let longest = self.listed.iter().filter(is_here).map(Vec::len).max().unwrap_or(0);
            let length = import(rest).unwrap_or(longest);
            if length > 0 {
                pieces.push(&tokens[start..place]);
                start = place + length;
            }
            place += length.max(1);
        }
        pieces.push(&tokens[start..]);
        pieces
    }
}

/// The number of tokens at the start that are an import, with its semicolon.
fn import(tokens: &[Token]) -> Option<usize> {
    let is_import = tokens.first()?.text == "use" && tokens.get(1)?.text != "<";
    let end = tokens.iter().position(|token| token.text == ";")?;
    is_import.then_some(end + 1)
}

/// The tokens of a source without comments and documentation; `None` if it is not Rust.
fn tokens(source: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    flatten(TokenStream::from_str(source).ok()?, &mut tokens);
    Some(tokens)
}

/// Appends the tokens of a stream.
fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        let mut push = |text: String| tokens.push(Token { text, line });
        match tree {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                // `#[doc = "..."]` and `#![doc = "..."]` are comments, too.
                let is_inner =
                    matches!(trees.peek(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
                let bang = if is_inner { trees.next() } else { None };
                match trees.peek() {
                    Some(TokenTree::Group(group)) if is_doc(&group.stream()) => {
                        trees.next();
                    }
                    _ => {
                        push("#".to_string());
                        if bang.is_some() {
                            push("!".to_string());
                        }
                    }
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                push(open.to_string());
                let end = group.span_close().start().line;
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_string(), line: end });
            }
            tree => push(tree.to_string()),
        }
    }
}

/// Whether the inside of an attribute is documentation.
fn is_doc(attribute: &TokenStream) -> bool {
    matches!(attribute.clone().into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc")
}

/// The texts of some tokens.
fn texts(tokens: &[Token]) -> Vec<String> {
    tokens.iter().map(|token| token.text.clone()).collect()
}

/// The lines of comments that have enough words to mean something, with their numbers.
fn comments(source: &str) -> impl Iterator<Item = (usize, String)> {
    let lines = source.lines().enumerate();
    let comments = lines.filter_map(|(line, text)| {
        let text = text.trim_start().strip_prefix("//")?;
        Some((line + 1, text.trim_start_matches(['/', '!']).trim().to_string()))
    });
    comments.filter(|(_, comment)| comment.split_whitespace().count() >= WORDS)
}

/// The code blocks of a text, each with the number of lines above it.
fn code_blocks(text: &str) -> Vec<(usize, String)> {
    let (mut blocks, mut open): (Vec<(usize, String)>, bool) = (Vec::new(), false);
    for (line, text) in text.lines().enumerate() {
        if text.trim_start().starts_with("```") {
            open = !open;
            if open {
                blocks.push((line + 1, String::new()));
            }
        } else if open && let Some((_, block)) = blocks.last_mut() {
            *block += text;
            block.push('\n');
        }
    }
    blocks
}

/// The error for a file that cannot be compared.
fn not_rust(path: &Path) -> Error {
    Error::harness(format!("{}: it cannot be parsed as Rust", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handout::contents::File;

    const SOLUTION: &str = "
/// Counts a vote, and becomes leader if a majority has voted for us.
fn count(&mut self, vote: Vote) {
    let Role::Candidate { votes } = &mut self.role else { return };
    votes.insert(vote.from);
    if votes.len() * 2 > self.servers {
        self.become_leader();
    }
}
";

    fn leaks(path: &str, text: &str, owner: Owner) -> Vec<usize> {
        let shingles = tokens(SOLUTION).unwrap().windows(LENGTH).map(texts).collect();
        let comments = comments(SOLUTION).map(|(_, comment)| comment).collect();
        let solutions = Solutions { shingles, comments, listed: Vec::new() };
        let file = File { contents: text.into(), is_executable: false, owner };
        let handout = Handout { files: BTreeMap::from([(PathBuf::from(path), file)]) };
        solutions.leaks(&handout).unwrap().into_iter().map(|leak| leak.line).collect()
    }

    #[test]
    fn five_lines_are_found_whatever_their_layout() {
        let planted = "fn f() {}
fn g(&mut self, vote: Vote) {
    // Another comment.
    let Role::Candidate {
        votes } = &mut self.role else { return }; votes.insert(vote.from);
}";
        assert_eq!(leaks("raft/src/lib.rs", planted, Owner::Student), [2, 4, 5]);
        let guide = format!("# Guide\n\n```rust\n{planted}\n```\n");
        assert_eq!(leaks("raft/README.md", &guide, Owner::Staff), [5, 7, 8]);
    }

    #[test]
    fn comments_that_tell_the_answer_are_found() {
        let skeleton =
            "fn f() {}\n// Counts a vote, and becomes leader if a majority has voted for us.\n";
        assert_eq!(leaks("raft/src/lib.rs", skeleton, Owner::Student), [2]);
    }

    #[test]
    fn common_idioms_are_not_leaks() {
        let skeleton = "fn count(&mut self) { your_code_here(self) }\n";
        assert!(leaks("raft/src/lib.rs", skeleton, Owner::Student).is_empty());
        // The tests are public anyway.
        assert!(leaks("raft/tests/grading/main.rs", SOLUTION, Owner::Staff).is_empty());
    }
}
