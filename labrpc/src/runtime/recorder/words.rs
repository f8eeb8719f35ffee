//! Values in words: arguments and replies as a picture shows them.
//!
//! Looks like the output of `Debug`, and needs no more than `Serialize`, which every message has.
//! Bytes are shown as text. Long values are cut, and nothing is formatted after the cut.

mod parts;

use std::fmt::{self, Display, Write as _};

use serde::ser::{Serialize, SerializeSeq, Serializer};

use self::parts::Parts;

/// How many characters of a value are kept.
const MOST_CHARS: usize = 400;

/// Room for most values, in bytes.
const USUAL_LENGTH: usize = 128;

/// A value in words: `AppendEntries { term: 3, entries: [] }`.
pub(crate) fn words<T: Serialize + ?Sized>(value: &T) -> String {
    let mut text = Text { text: String::with_capacity(USUAL_LENGTH), room: MOST_CHARS };
    if value.serialize(Writer { out: &mut text, bytes: None }).is_err() {
        text.text.push('…');
    }
    text.text
}

/// Text with a limited length.
struct Text {
    text: String,
    /// How many characters may follow.
    room: usize,
}

/// The text is full, or the type refuses to be serialized.
#[derive(Debug)]
struct Cut;

impl Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text is full")
    }
}

impl std::error::Error for Cut {}

impl serde::ser::Error for Cut {
    fn custom<T: Display>(_: T) -> Self {
        Cut
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if piece.is_ascii() && piece.len() <= self.room {
            self.room -= piece.len();
            self.text.push_str(piece);
            return Ok(());
        }
        for char in piece.chars() {
            self.room = self.room.checked_sub(1).ok_or(fmt::Error)?;
            self.text.push(char);
        }
        Ok(())
    }
}

impl Text {
    /// Adds the `Display` of something.
    fn put(&mut self, piece: impl Display) -> Result<(), Cut> {
        write!(self, "{piece}").map_err(|_| Cut)
    }
}

/// What is known of a list while its items come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Items {
    /// There were none yet.
    Empty,
    /// All were bytes: a text has begun.
    Bytes,
    /// A list has begun.
    Others,
}

/// Writes one value.
struct Writer<'a> {
    out: &'a mut Text,
    /// The list that the value is an item of, if bytes in it make a text.
    bytes: Option<&'a mut Items>,
}

impl Writer<'_> {
    /// Writes what begins an item of a list, if the value is one.
    fn begin(&mut self) -> Result<(), Cut> {
        let Some(items) = self.bytes.take() else { return Ok(()) };
        let separator = match items {
            Items::Empty => "[",
            Items::Bytes => "\", ",
            Items::Others => ", ",
        };
        *items = Items::Others;
        self.out.put(separator)
    }

    /// Writes a value that has no parts.
    fn plain(mut self, value: impl Display) -> Result<(), Cut> {
        self.begin()?;
        self.out.put(value)
    }
}

impl<'a> Writer<'a> {
    /// Begins a value with parts, each of which is separated from the one before.
    fn parts(
        mut self,
        name: impl Display,
        begin: &str,
        end: &'static str,
    ) -> Result<Parts<'a>, Cut> {
        self.begin()?;
        self.out.put(name)?;
        self.out.put(begin)?;
        Ok(Parts { out: self.out, items: Items::Empty, end })
    }
}

/// A list whose items, if they are bytes, make a text.
struct List<'a> {
    out: &'a mut Text,
    items: Items,
}

impl SerializeSeq for List<'_> {
    type Ok = ();
    type Error = Cut;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Cut> {
        value.serialize(Writer { out: self.out, bytes: Some(&mut self.items) })
    }

    fn end(self) -> Result<(), Cut> {
        self.out.put(match self.items {
            Items::Empty => "[]",
            Items::Bytes => "\"",
            Items::Others => "]",
        })
    }
}

impl<'a> Serializer for Writer<'a> {
    type Ok = ();
    type Error = Cut;
    type SerializeSeq = List<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    fn serialize_bool(self, v: bool) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_i8(self, v: i8) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_i16(self, v: i16) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_i32(self, v: i32) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_i64(self, v: i64) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_i128(self, v: i128) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_u8(self, v: u8) -> Result<(), Cut> {
        match self.bytes {
            Some(items) if *items != Items::Others => {
                if *items == Items::Empty {
                    *items = Items::Bytes;
                    self.out.put('"')?;
                }
                self.out.put(v.escape_ascii())
            }
            _ => self.plain(v),
        }
    }

    fn serialize_u16(self, v: u16) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_u32(self, v: u32) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_u64(self, v: u64) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_u128(self, v: u128) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_f32(self, v: f32) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_f64(self, v: f64) -> Result<(), Cut> {
        self.plain(v)
    }

    fn serialize_char(self, v: char) -> Result<(), Cut> {
        self.plain(format_args!("{v:?}"))
    }

    fn serialize_str(self, v: &str) -> Result<(), Cut> {
        self.plain(format_args!("{v:?}"))
    }

    fn serialize_bytes(self, v: &[u8]) -> Result<(), Cut> {
        self.plain(format_args!("\"{}\"", v.escape_ascii()))
    }

    fn serialize_none(self) -> Result<(), Cut> {
        self.plain("None")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Cut> {
        self.serialize_newtype_struct("Some", value)
    }

    fn serialize_unit(self) -> Result<(), Cut> {
        self.plain("()")
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Cut> {
        self.plain(name)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Cut> {
        self.plain(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Cut> {
        let mut parts = self.parts(name, "(", ")")?;
        parts.part(value)?;
        parts.finish()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Cut> {
        self.serialize_newtype_struct(variant, value)
    }

    fn serialize_seq(mut self, _: Option<usize>) -> Result<List<'a>, Cut> {
        self.begin()?;
        Ok(List { out: self.out, items: Items::Empty })
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Cut> {
        self.parts("", "(", ")")
    }

    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Parts<'a>, Cut> {
        self.parts(name, "(", ")")
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Cut> {
        self.parts(variant, "(", ")")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Cut> {
        self.parts("", "{", "}")
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Parts<'a>, Cut> {
        self.parts(name, " { ", " }")
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Cut> {
        self.parts(variant, " { ", " }")
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Cut> {
        self.plain(format_args!("\"{value}\""))
    }
}

#[cfg(test)]
mod tests;
