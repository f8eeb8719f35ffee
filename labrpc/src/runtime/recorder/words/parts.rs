//! Values with parts: structs, tuples, maps and variants.

use serde::ser::{
    Serialize, SerializeMap, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::{Cut, Items, Text, Writer};

/// Writes the parts of a value.
pub(super) struct Parts<'a> {
    pub(super) out: &'a mut Text,
    pub(super) items: Items,
    /// What ends the value.
    pub(super) end: &'static str,
}

impl Parts<'_> {
    /// Writes what separates two parts.
    fn separate(&mut self) -> Result<(), Cut> {
        let is_first = self.items == Items::Empty;
        self.items = Items::Others;
        if is_first { Ok(()) } else { self.out.put(", ") }
    }

    /// Writes a part.
    pub(super) fn part<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Cut> {
        self.separate()?;
        value.serialize(Writer { out: self.out, bytes: None })
    }

    /// Writes a part with a name.
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Cut> {
        self.separate()?;
        self.out.put(name)?;
        self.out.put(": ")?;
        value.serialize(Writer { out: self.out, bytes: None })
    }

    /// Ends the value.
    pub(super) fn finish(self) -> Result<(), Cut> {
        self.out.put(self.end)
    }
}

impl SerializeTuple for Parts<'_> {
    type Ok = ();
    type Error = Cut;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Cut> {
        self.part(value)
    }

    fn end(self) -> Result<(), Cut> {
        self.finish()
    }
}

impl SerializeTupleStruct for Parts<'_> {
    type Ok = ();
    type Error = Cut;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Cut> {
        self.part(value)
    }

    fn end(self) -> Result<(), Cut> {
        self.finish()
    }
}

impl SerializeTupleVariant for Parts<'_> {
    type Ok = ();
    type Error = Cut;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Cut> {
        self.part(value)
    }

    fn end(self) -> Result<(), Cut> {
        self.finish()
    }
}

impl SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Cut;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Cut> {
        self.part(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Cut> {
        self.out.put(": ")?;
        value.serialize(Writer { out: self.out, bytes: None })
    }

    fn end(self) -> Result<(), Cut> {
        self.finish()
    }
}

impl SerializeStruct for Parts<'_> {
    type Ok = ();
    type Error = Cut;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Cut> {
        self.field(name, value)
    }

    fn end(self) -> Result<(), Cut> {
        self.finish()
    }
}

impl SerializeStructVariant for Parts<'_> {
    type Ok = ();
    type Error = Cut;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Cut> {
        self.field(name, value)
    }

    fn end(self) -> Result<(), Cut> {
        self.finish()
    }
}
