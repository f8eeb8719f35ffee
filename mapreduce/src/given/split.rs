//! Inputs as map tasks get them: pieces of files, cut at line ends (MapReduce §3.1).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::given::run_file::about;

/// Split size unless the user says otherwise, as in the paper.
pub const DEFAULT_SPLIT_SIZE: u64 = 16 << 20;

/// How much is read at a time in search of a line end.
const CHUNK: usize = 64 << 10;

/// One piece of an input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Path of the file, as the user gave it.
    pub file: String,
    /// Position of its first byte.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
}

impl Split {
    /// Reads it. Bytes that are not UTF-8 are replaced.
    ///
    /// # Errors
    /// If the file cannot be read, or has become shorter.
    pub fn read(&self) -> io::Result<String> {
        let read = || {
            let mut file = File::open(&self.file)?;
            file.seek(SeekFrom::Start(self.offset))?;
            let mut bytes = Vec::with_capacity(usize::try_from(self.length).unwrap_or(0));
            file.take(self.length).read_to_end(&mut bytes)?;
            if bytes.len() as u64 == self.length {
                Ok(bytes)
            } else {
                Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the file is shorter than when the job began",
                ))
            }
        };
        let bytes = read().map_err(|error| about(Path::new(&self.file), &error))?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}

/// Cuts files into splits, in order. A file that is not longer than `size` is one split, even if it
/// is empty. A longer one is cut after the first line end at or after each multiple of `size`. If
/// the next `size` bytes hold no line end, it is cut after white space, and if they hold no white
/// space, between two characters: lines can be longer than memory.
///
/// # Errors
/// If a file cannot be read, or is not a regular file.
///
/// # Panics
/// If `size` is zero.
pub fn cut(files: &[String], size: u64) -> io::Result<Vec<Split>> {
    assert!(size > 0, "splits have a size");
    let mut splits = Vec::new();
    for path in files {
        cut_file(path, size, &mut splits).map_err(|error| about(Path::new(path), &error))?;
    }
    Ok(splits)
}

/// Appends the splits of one file.
fn cut_file(path: &str, size: u64, splits: &mut Vec<Split>) -> io::Result<()> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "this is not a regular file"));
    }
    let end = metadata.len();
    let mut offset = 0;
    loop {
        let cut = match end - offset {
            left if left <= size => end,
            _ => find_cut(&mut file, offset + size, size)?.min(end),
        };
        splits.push(Split { file: path.to_string(), offset, length: cut - offset });
        offset = cut;
        if offset == end {
            return Ok(());
        }
    }
}

/// The best place for a cut at or after `from`, at most `reach` further.
fn find_cut(file: &mut File, from: u64, reach: u64) -> io::Result<u64> {
    // A line end just before `from` will do: look at that byte too.
    let mut position = from - 1;
    file.seek(SeekFrom::Start(position))?;
    let (mut space, mut character) = (None, None);
    let mut chunk = vec![0; CHUNK];
    while position < from + reach {
        let read = file.read(&mut chunk)?;
        for (at, byte) in (position..).zip(&chunk[..read]) {
            match byte {
                b'\n' => return Ok(at + 1),
                b' ' | b'\t' | b'\r' => space = space.or(Some(at + 1)),
                // Not the continuation of a character: one begins here.
                byte if at >= from && byte & 0xc0 != 0x80 => character = character.or(Some(at)),
                _ => {}
            }
        }
        position += read as u64;
        if read == 0 {
            return Ok(position);
        }
    }
    Ok(space.or(character).unwrap_or(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The splits of a file with these contents.
    fn splits(contents: &[u8], size: u64) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("input");
        std::fs::write(&path, contents).unwrap();
        let splits = cut(&[path.to_str().unwrap().to_string()], size).unwrap();
        let mut offset = 0;
        for split in &splits {
            assert_eq!(split.offset, offset, "splits follow each other");
            offset += split.length;
        }
        assert_eq!(offset, contents.len() as u64, "splits cover the file");
        splits.iter().map(|split| split.read().unwrap()).collect()
    }

    #[test]
    fn files_are_cut_at_line_ends() {
        for (name, contents, size, expected) in [
            ("empty", "", 4, &[""][..]),
            ("just fits", "abcd", 4, &["abcd"]),
            ("line end at the cut", "abc\nde", 4, &["abc\n", "de"]),
            ("line end later", "abcd\nef\n", 4, &["abcd\n", "ef\n"]),
            ("many", "a\nb\nc\nd\n", 2, &["a\n", "b\n", "c\n", "d\n"]),
            ("line end last", "abcdef\n", 4, &["abcdef\n"]),
        ] {
            assert_eq!(splits(contents.as_bytes(), size), expected, "{name}");
        }
    }

    #[test]
    fn very_long_lines_are_cut_between_words_or_characters() {
        let words = "word ".repeat(100_000);
        let pieces = splits(words.as_bytes(), 100_000);
        assert!(pieces.len() >= 4 && pieces.iter().all(|piece| piece.ends_with("word ")));
        let letters = "ü".repeat(300_000);
        let pieces = splits(letters.as_bytes(), 100_001);
        assert!(pieces.len() >= 4 && pieces.concat() == letters);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(splits(b"a\xffb", 10), ["a\u{fffd}b"]);
    }
}
