//! What to do about a lock that a panic has poisoned: nothing.

use std::sync::{LockResult, PoisonError};

/// The guard, or the data, also after a panic. A panic fails the run by itself, and leaves no data
/// of the harness in an invalid state.
pub(crate) fn unpoisoned<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}
