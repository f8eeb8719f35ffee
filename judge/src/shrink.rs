//! Makes a failing run smaller: finds the few accidents without which it does not fail.
//!
//! | module | contents |
//! |---|---|
//! | `search` | the search itself: which runs to try, and what follows from their outcome |
//! | `trials` | makes these runs, within limits |
//! | `violated` | whether two failures violate the same property |

mod search;
mod trials;
mod violated;

pub use self::search::Failing;
pub use self::trials::{Effort, Trials};
pub use self::violated::Violated;
