//! Pairs in memory, grouped by key.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::given::values::StoredValues;

/// Stands for "no further value".
const END: u32 = u32::MAX;

/// Pairs in memory: each key once, with the list of its values in the order in which they were
/// added. Equal values in a row are stored once, with their number.
///
/// Keys and values lie one after the other in one buffer, so a pair costs no allocation. That an
/// additional occurrence of a frequent pair costs no memory is what makes large inputs cheap.
#[derive(Default)]
pub(crate) struct Groups {
    /// Indices into `groups`, found by key.
    table: HashTable<u32>,
    groups: Vec<Group>,
    values: Vec<Value>,
    bytes: Vec<u8>,
    hasher: FixedState,
}

/// A piece of `bytes`.
#[derive(Clone, Copy)]
struct Text {
    start: u32,
    length: u32,
}

/// A key and its values.
struct Group {
    hash: u64,
    key: Text,
    first: u32,
    last: u32,
}

/// A value, and how often it was added in a row.
struct Value {
    text: Text,
    times: u32,
    /// The next value of the same key, or [`END`].
    next: u32,
}

impl Groups {
    /// Adds a pair.
    pub(crate) fn add(&mut self, key: &str, value: &str) {
        let hash = self.hasher.hash_one(key.as_bytes());
        let found = self.table.find(hash, |index| {
            let group = &self.groups[*index as usize];
            group.hash == hash && text(&self.bytes, group.key) == key.as_bytes()
        });
        match found {
            Some(index) => self.add_value(*index as usize, value),
            None => self.add_group(hash, key, value),
        }
    }

    /// Adds a value to a key that is there already.
    fn add_value(&mut self, index: usize, value: &str) {
        let last = self.groups[index].last;
        let newest = &mut self.values[last as usize];
        if newest.times < u32::MAX && text(&self.bytes, newest.text) == value.as_bytes() {
            newest.times += 1;
            return;
        }
        let next = self.store_value(value);
        self.values[last as usize].next = next;
        self.groups[index].last = next;
    }

    /// Adds a key with its first value.
    fn add_group(&mut self, hash: u64, key: &str, value: &str) {
        let key = self.store(key);
        let first = self.store_value(value);
        let index = to_u32(self.groups.len());
        self.groups.push(Group { hash, key, first, last: first });
        let groups = &self.groups;
        self.table.insert_unique(hash, index, |index| groups[*index as usize].hash);
    }

    /// Stores a value without a successor.
    fn store_value(&mut self, value: &str) -> u32 {
        let text = self.store(value);
        self.values.push(Value { text, times: 1, next: END });
        to_u32(self.values.len() - 1)
    }

    /// Stores a text.
    fn store(&mut self, text: &str) -> Text {
        let start = to_u32(self.bytes.len());
        self.bytes.extend_from_slice(text.as_bytes());
        to_u32(self.bytes.len()); // Offsets must be able to name the end, too.
        Text { start, length: to_u32(text.len()) }
    }

    /// Roughly the bytes of memory in use.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
            + self.groups.len() * (size_of::<Group>() + 2 * size_of::<u32>())
            + self.values.len() * size_of::<Value>()
    }

    /// Whether there are no pairs.
    pub(crate) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Forgets everything, but keeps the memory for further pairs.
    pub(crate) fn clear(&mut self) {
        self.table.clear();
        self.groups.clear();
        self.values.clear();
        self.bytes.clear();
    }

    /// The keys in order, each with its values.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = (&str, Chain<'_>)> + Clone {
        let mut order: Vec<&Group> = self.groups.iter().collect();
        order.sort_unstable_by_key(|group| text(&self.bytes, group.key));
        order
            .into_iter()
            .map(|group| (self.as_str(group.key), Chain { groups: self, next: group.first }))
    }

    /// A stored text.
    fn as_str(&self, place: Text) -> &str {
        std::str::from_utf8(text(&self.bytes, place)).expect("texts are stored whole")
    }
}

/// A piece of the buffer.
fn text(bytes: &[u8], Text { start, length }: Text) -> &[u8] {
    &bytes[start as usize..][..length as usize]
}

/// An index, which is small: pairs are written to files long before it could overflow.
fn to_u32(index: usize) -> u32 {
    u32::try_from(index).expect("less than 4 GB is kept in memory")
}

/// The values of one key.
pub(crate) struct Chain<'a> {
    groups: &'a Groups,
    next: u32,
}

impl<'a> Chain<'a> {
    /// The next value, and how often it occurs in a row.
    pub(crate) fn next_str(&mut self) -> Option<(&'a str, u64)> {
        let value = self.groups.values.get(self.next as usize)?;
        self.next = value.next;
        Some((self.groups.as_str(value.text), value.times.into()))
    }
}

impl StoredValues for Chain<'_> {
    fn next_value(&mut self, value: &mut String) -> Option<u64> {
        let (text, times) = self.next_str()?;
        value.clear();
        value.push_str(text);
        Some(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::values::Values;

    #[test]
    fn values_keep_their_order_and_number() {
        let mut groups = Groups::default();
        for (key, value) in [("b", "1"), ("a", ""), ("b", "1"), ("b", "2"), ("", "x"), ("b", "1")] {
            groups.add(key, value);
        }
        let mut seen = Vec::new();
        for (key, mut chain) in groups.sorted() {
            seen.push((key.to_string(), Values::stored(&mut chain).collect::<Vec<_>>().join(",")));
        }
        let expected = [("", "x"), ("a", ""), ("b", "1,1,2,1")];
        assert_eq!(seen, expected.map(|(key, values)| (key.to_string(), values.to_string())));
        groups.clear();
        assert!(groups.is_empty() && groups.size() == 0);
    }
}
