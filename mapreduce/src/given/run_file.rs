//! Files of sorted keys with their values: what map tasks leave for reduce tasks.
//!
//! ```text
//! file    key* 0
//! key     length + 1 | bytes | value* | 0         keys ascend
//! value   times | length | bytes                  times > 0
//! ```
//!
//! Numbers are in base 128, low digits first, with the high bit set on all but the last. The zero
//! at the end tells a whole file from one that was cut off.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Buffer of a file that is written or read.
const BUFFER: usize = 32 << 10;

/// Writes a run. Dropped without [`finish`](RunWriter::finish), it leaves a file that a
/// [`RunReader`] refuses.
pub(crate) struct RunWriter<W: Write>(BufWriter<W>);

impl<W: Write> RunWriter<W> {
    /// A run without keys.
    pub(crate) fn new(file: W) -> Self {
        Self(BufWriter::with_capacity(BUFFER, file))
    }

    /// Begins a key, which must be greater than the last one.
    pub(crate) fn key(&mut self, key: &str) -> io::Result<()> {
        self.number(key.len() as u64 + 1)?;
        self.0.write_all(key.as_bytes())
    }

    /// Adds a value that occurs this number of times in a row.
    pub(crate) fn value(&mut self, value: &str, times: u64) -> io::Result<()> {
        self.number(times)?;
        self.number(value.len() as u64)?;
        self.0.write_all(value.as_bytes())
    }

    /// Ends the values of a key.
    pub(crate) fn end_key(&mut self) -> io::Result<()> {
        self.number(0)
    }

    /// Ends the run.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.number(0)?;
        self.0.flush()
    }

    /// Writes a number.
    fn number(&mut self, mut number: u64) -> io::Result<()> {
        let mut digits = [0; 10];
        let mut length = 0;
        loop {
            digits[length] = number as u8 & 0x7f | if number > 0x7f { 0x80 } else { 0 };
            length += 1;
            number >>= 7;
            if number == 0 {
                return self.0.write_all(&digits[..length]);
            }
        }
    }
}

/// Reads a run.
pub(crate) struct RunReader {
    path: PathBuf,
    file: BufReader<File>,
    /// Whether values of the current key may be left.
    in_key: bool,
}

impl RunReader {
    /// The run at `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path).map_err(|error| about(path, &error))?;
        let file = BufReader::with_capacity(BUFFER, file);
        Ok(Self { path: path.into(), file, in_key: false })
    }

    /// Puts the next key into `key`, past what is left of the current one; false at the end.
    pub(crate) fn next_key(&mut self, key: &mut Vec<u8>) -> io::Result<bool> {
        self.try_next_key(key).map_err(|error| about(&self.path, &error))
    }

    /// Puts the next value of the current key into `value`, and returns how often it occurs in a
    /// row.
    pub(crate) fn next_value(&mut self, value: &mut Vec<u8>) -> io::Result<Option<u64>> {
        self.try_next_value(value).map_err(|error| about(&self.path, &error))
    }

    /// As [`next_key`](Self::next_key), with errors that do not name the file.
    fn try_next_key(&mut self, key: &mut Vec<u8>) -> io::Result<bool> {
        let mut skipped = Vec::new();
        while self.in_key {
            self.try_next_value(&mut skipped)?;
        }
        match self.number()?.checked_sub(1) {
            Some(length) => {
                self.text(length, key)?;
                self.in_key = true;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// As [`next_value`](Self::next_value), with errors that do not name the file.
    fn try_next_value(&mut self, value: &mut Vec<u8>) -> io::Result<Option<u64>> {
        if !self.in_key {
            return Ok(None);
        }
        match self.number()? {
            0 => {
                self.in_key = false;
                Ok(None)
            }
            times => {
                let length = self.number()?;
                self.text(length, value)?;
                Ok(Some(times))
            }
        }
    }

    /// Reads a number.
    fn number(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let digit = *self.file.fill_buf()?.first().ok_or(ErrorKind::UnexpectedEof)?;
            self.file.consume(1);
            number |= u64::from(digit & 0x7f) << shift;
            if digit < 0x80 {
                return Ok(number);
            }
        }
        Err(ErrorKind::InvalidData.into())
    }

    /// Reads a text of this length into `text`.
    fn text(&mut self, length: u64, text: &mut Vec<u8>) -> io::Result<()> {
        text.clear();
        let read = (&mut self.file).take(length).read_to_end(text)?;
        if read as u64 == length { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }
}

/// The error with the path of the file.
pub(crate) fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
