//! Counts the memory that searches hold, and refuses what would exceed the cap.

/// The account of one check.
///
/// * `used <= cap`, always: memory is claimed before it is allocated and released after it is
///   freed, so while a vector moves both its places count.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Bytes claimed and not released.
    used: usize,
    /// What `used` may reach.
    cap: usize,
}

/// A claim that the cap does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

impl Memory {
    /// An empty account.
    pub fn new(cap: usize) -> Self {
        Memory { used: 0, cap }
    }

    /// Bytes claimed and not released.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Asks for `bytes` that are about to be allocated.
    pub fn claim(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        if bytes > self.cap - self.used {
            return Err(OutOfMemory);
        }
        self.used += bytes;
        Ok(())
    }

    /// Gives back `bytes` that were freed.
    pub fn release(&mut self, bytes: usize) {
        assert!(bytes <= self.used, "released {bytes} of {} bytes", self.used);
        self.used -= bytes;
    }

    /// Appends to a vector whose capacity is on this account.
    pub fn push<T>(&mut self, vec: &mut Vec<T>, item: T) -> Result<(), OutOfMemory> {
        if vec.len() == vec.capacity() {
            let more = vec.capacity().max(16);
            let before = vec.capacity() * size_of::<T>();
            self.claim(before + more * size_of::<T>())?;
            vec.reserve_exact(more);
            self.release(before);
        }
        vec.push(item);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While a vector grows, its old and its new place both count.
    #[test]
    fn growing_counts_both_places() {
        let mut memory = Memory::new(16 * 8 + 32 * 8);
        let mut vec: Vec<u64> = Vec::new();
        for item in 0..32 {
            assert_eq!(memory.push(&mut vec, item), Ok(()));
        }
        assert_eq!(memory.used(), 32 * 8);
        assert_eq!(memory.push(&mut vec, 32), Err(OutOfMemory));
        assert_eq!(vec.len(), 32, "a refused push changes nothing");
    }
}
