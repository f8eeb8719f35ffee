//! Makes a failing run smaller: finds the few accidents without which it does not fail.
//!
//! | module | contents |
//! |---|---|
//! | `claim` | whether two failures break the same property |
//! | `search` | the search itself: which runs to try, and what follows from their outcome |
//! | `trials` | makes these runs, within limits |

mod claim;
mod search;
mod trials;

pub use self::claim::Claim;
pub use self::search::Failing;
pub use self::trials::{Effort, Trials};
