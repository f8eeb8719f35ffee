//! Makes a failing run smaller: finds the few accidents without which it does not fail.
//!
//! | module | contents |
//! |---|---|
//! | `claim` | whether two failures break the same property |
//! | `search` | the search itself: which runs to try, and what follows from their outcome |
//! | `trials` | makes these runs, within limits |
//! | `story` | what happened, in words |

pub(crate) mod claim;
pub(crate) mod search;
pub(crate) mod story;
pub(crate) mod trials;
