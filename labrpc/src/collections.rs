//! Hash collections whose order is the same in every run.

// The aliases below are what the ban on `std`'s own proposes instead.
#![allow(clippy::disallowed_types, reason = "with a fixed hasher the order is fixed too")]

use std::collections;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// [`std::collections::HashMap`] with a fixed order. Made by `HashMap::default()`.
pub type HashMap<K, V> = collections::HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

/// [`std::collections::HashSet`] with a fixed order. Made by `HashSet::default()`.
pub type HashSet<T> = collections::HashSet<T, BuildHasherDefault<DefaultHasher>>;
