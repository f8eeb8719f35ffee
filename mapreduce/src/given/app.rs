//! What a user of MapReduce writes.

use crate::given::emitter::Emitter;
use crate::given::values::Values;

pub use crate::given::values::Combiner;

/// An application: its map and its reduce function (MapReduce §2).
///
/// Used by the grading tests.
///
/// The results of both must depend on their arguments only: a task may run more than once, and any
/// of its runs may be the one that counts.
pub trait App: Send + Sync {
    /// Emits pairs for the contents of one split of a file. A file that is not longer than the
    /// split size is one split. Bytes that are not UTF-8 have been replaced by U+FFFD.
    fn map(&self, file: &str, contents: &str, out: &mut Emitter<'_>);

    /// The result for a key and all its values, which come in any order.
    fn reduce(&self, key: &str, values: Values<'_>) -> String;

    /// A function that workers may apply to some of a key's values, whose result then stands for
    /// them (§4.3); `None` unless the app says otherwise. The result of `reduce` must not depend on
    /// whether and how often it was applied.
    fn combiner(&self) -> Option<Combiner> {
        None
    }
}
