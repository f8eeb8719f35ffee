//! Commands: bytes that Raft does not understand. Ours are text, so that reports can be read.

use std::fmt;

/// A command as the harness proposes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Command(Vec<u8>);

impl Command {
    /// The command with these bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes that Raft sees.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// A command of so many characters, filled up to that length if `text` is shorter.
    pub fn padded(text: &str, length: usize) -> Self {
        let filler = std::iter::repeat_n('.', length.saturating_sub(text.len()));
        Self(text.chars().chain(filler).collect::<String>().into_bytes())
    }
}

impl From<u64> for Command {
    fn from(number: u64) -> Self {
        Self(number.to_string().into_bytes())
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.0);
        match text.char_indices().nth(32) {
            Some((end, _)) => write!(f, "'{}...' ({} bytes)", &text[..end], self.0.len()),
            None => write!(f, "'{text}'"),
        }
    }
}
