//! Gives equal values the same small number.

use std::hash::{Hash, Hasher};

use crate::memory::{Memory, OutOfMemory};

/// Marks a slot that refers to no item.
const EMPTY: u64 = 0;

/// A set of values, numbered from 0 in the order in which they came.
///
/// Open addressing with linear probing over one-word slots. The standard hash map would do, were
/// its order fixed and its memory countable.
///
/// * A slot is [`EMPTY`], or an item's hash in the upper half and its number plus one in the lower.
/// * The number of slots is a power of two, at least 4/3 of the number of items.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    /// The values, by number.
    items: Vec<T>,
    /// Where a value's number is found.
    slots: Vec<u64>,
}

/// The answer of [`Interner::insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interned {
    /// The value's number.
    pub id: u32,
    /// Whether the value had not been there before.
    pub is_new: bool,
}

impl<T: Eq + Hash> Interner<T> {
    /// An empty set, which allocates nothing.
    pub fn new() -> Self {
        Interner { items: Vec::new(), slots: Vec::new() }
    }

    /// The value numbered `id`.
    pub fn get(&self, id: u32) -> &T {
        &self.items[id as usize]
    }

    /// The number of `item`, which is added if it was not there.
    pub fn insert(&mut self, item: T, memory: &mut Memory) -> Result<Interned, OutOfMemory> {
        if (self.items.len() + 1) * 4 > self.slots.len() * 3 {
            self.grow(memory)?;
        }
        let hash = hash(&item);
        let mut place = self.home(hash);
        while self.slots[place] != EMPTY {
            let slot = self.slots[place];
            let id = slot as u32 - 1;
            if slot >> 32 == u64::from(hash) && *self.get(id) == item {
                return Ok(Interned { id, is_new: false });
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
        // Some numbers at the upper end stay free for our callers' own purposes.
        let id = u32::try_from(self.items.len()).ok().filter(|id| *id < u32::MAX - 8);
        let id = id.ok_or(OutOfMemory)?;
        memory.push(&mut self.items, item)?;
        self.slots[place] = u64::from(hash) << 32 | u64::from(id + 1);
        Ok(Interned { id, is_new: true })
    }

    /// Doubles the number of slots.
    fn grow(&mut self, memory: &mut Memory) -> Result<(), OutOfMemory> {
        let len = (self.slots.len() * 2).max(32);
        memory.claim(len * size_of::<u64>())?;
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; len]);
        for slot in old.iter().filter(|slot| **slot != EMPTY) {
            let mut place = self.home((slot >> 32) as u32);
            while self.slots[place] != EMPTY {
                place = (place + 1) & (len - 1);
            }
            self.slots[place] = *slot;
        }
        memory.release(old.len() * size_of::<u64>());
        Ok(())
    }

    /// The slot where the search for a hash begins: its upper bits, which are the best mixed.
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }
}

/// A hash that is the same in every run.
fn hash<T: Hash>(item: &T) -> u32 {
    let mut hasher = FoldHasher(0);
    item.hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

/// Multiplies, and folds the upper half of the product onto the lower one.
struct FoldHasher(u64);

impl FoldHasher {
    /// An odd number without pattern: 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

    /// Takes in one word.
    fn add(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(Self::FACTOR);
        // The constant keeps a zero word from leaving a zero state as it was.
        self.0 = (product as u64 ^ (product >> 64) as u64).wrapping_add(Self::FACTOR);
    }
}

impl Hasher for FoldHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.add(u64::from_le_bytes(word.try_into().expect("chunks of 8 bytes")));
        }
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        self.add(u64::from_le_bytes(last));
    }

    fn write_u8(&mut self, word: u8) {
        self.add(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.add(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.add(word);
    }

    fn write_usize(&mut self, word: usize) {
        self.add(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0.wrapping_mul(Self::FACTOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers are given in order, and never twice to equal values.
    #[test]
    fn equal_values_share_a_number() {
        let mut memory = Memory::new(usize::MAX);
        let mut interner = Interner::new();
        for round in 0..2 {
            for value in 0..5000u32 {
                let interned = interner.insert(value.to_string(), &mut memory);
                assert_eq!(interned, Ok(Interned { id: value, is_new: round == 0 }));
            }
        }
        assert_eq!(interner.get(4321), "4321");
    }

    /// The table stops at the cap, and stays usable for what it holds.
    #[test]
    fn full_memory_refuses_new_values_only() {
        let mut memory = Memory::new(4096);
        let mut interner = Interner::new();
        let refused = (0u64..).find(|value| interner.insert(*value, &mut memory).is_err());
        let refused = refused.expect("4096 bytes do not hold all numbers");
        assert!((32..512).contains(&refused), "{refused}");
        assert!(memory.used() <= 4096);
        assert_eq!(interner.insert(7, &mut memory), Ok(Interned { id: 7, is_new: false }));
    }
}
