//! Which of the operations that are under way have been linearized.

use crate::interner::Interner;
use crate::memory::{Memory, OutOfMemory};

/// A set of slots. An operation has a slot from its call to its return, so a set is only as wide
/// as the history is concurrent, however long it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlotSet {
    /// One bit a slot.
    words: Vec<u64>,
}

impl SlotSet {
    /// Whether `slot` is in the set.
    pub fn contains(&self, slot: u32) -> bool {
        self.words[slot as usize / 64] >> (slot % 64) & 1 == 1
    }

    /// Adds `slot`.
    pub fn insert(&mut self, slot: u32) {
        self.words[slot as usize / 64] |= 1 << (slot % 64);
    }

    /// Takes out `slot`.
    pub fn remove(&mut self, slot: u32) {
        self.words[slot as usize / 64] &= !(1 << (slot % 64));
    }
}

/// Sets packed into one word each: the bits themselves if they fit, else the set's number.
#[derive(Debug)]
pub(crate) struct PackedSets {
    /// How many words a set has.
    words: usize,
    /// The sets that do not fit into one word.
    wide: Interner<Box<[u64]>>,
}

impl PackedSets {
    /// For sets of up to `slots` slots.
    pub fn new(slots: usize) -> Self {
        PackedSets { words: slots.div_ceil(64).max(1), wide: Interner::new() }
    }

    /// The set without slots.
    pub fn empty(&self) -> SlotSet {
        SlotSet { words: vec![0; self.words] }
    }

    /// Packs a set; equal sets get equal words.
    pub fn pack(&mut self, set: &SlotSet, memory: &mut Memory) -> Result<u64, OutOfMemory> {
        if self.words == 1 {
            return Ok(set.words[0]);
        }
        let heap_bytes = self.words * size_of::<u64>();
        memory.claim(heap_bytes)?;
        let interned = self.wide.insert(set.words.as_slice().into(), memory)?;
        if !interned.is_new {
            memory.release(heap_bytes);
        }
        Ok(interned.id.into())
    }

    /// The set that was packed.
    pub fn unpack(&self, packed: u64) -> SlotSet {
        let words = if self.words == 1 { vec![packed] } else { self.wide(packed).to_vec() };
        SlotSet { words }
    }

    /// Whether `slot` is in a packed set.
    pub fn contains(&self, packed: u64, slot: u32) -> bool {
        let word = if self.words == 1 { packed } else { self.wide(packed)[slot as usize / 64] };
        word >> (slot % 64) & 1 == 1
    }

    /// A set that does not fit into one word.
    fn wide(&self, packed: u64) -> &[u64] {
        self.wide.get(packed as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets come back as they were, whether they fit into one word or not.
    #[test]
    fn packing_keeps_sets() {
        let mut memory = Memory::new(1 << 20);
        for slots in [1, 64, 65, 300] {
            let mut sets = PackedSets::new(slots);
            let mut set = sets.empty();
            set.insert(0);
            set.insert(slots as u32 - 1);
            let packed = sets.pack(&set, &mut memory).unwrap();
            assert_eq!(sets.pack(&set, &mut memory), Ok(packed));
            set.remove(0);
            let other = sets.pack(&set, &mut memory).unwrap();
            assert!(slots == 1 || other != packed);
            for slot in 0..slots as u32 {
                let is_in = slot == 0 || slot == slots as u32 - 1;
                assert_eq!(sets.contains(packed, slot), is_in, "slot {slot} of {slots}");
                assert_eq!(sets.unpack(packed).contains(slot), is_in, "slot {slot} of {slots}");
            }
        }
    }
}
