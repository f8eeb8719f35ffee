//! One of the parts into which work is split over machines.

/// One of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// The number of this part, from 1 to `n`.
    pub k: u64,
    /// The number of parts.
    pub n: u64,
}

impl Shard {
    /// Parses `2/4`.
    ///
    /// # Errors
    /// If it is not K/N with K from 1 to N; the error says so.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shard = || {
            let (k, n) = text.split_once('/')?;
            Some(Shard { k: k.parse().ok()?, n: n.parse().ok()? })
        };
        let is_valid = |shard: &Shard| (1..=shard.n).contains(&shard.k);
        shard()
            .filter(is_valid)
            .ok_or_else(|| "expected K/N with K from 1 to N, such as 2/4".into())
    }

    /// Whether the item in this place, from 0, is in this part.
    pub fn includes(self, place: u64) -> bool {
        place % self.n == self.k - 1
    }
}
