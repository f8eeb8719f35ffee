//! How reports write points in time.

/// Nanoseconds as seconds, with the digits that matter.
pub(crate) fn seconds(nanos: u64) -> String {
    format!("{}.{:06}", nanos / 1_000_000_000, nanos / 1_000 % 1_000_000)
}
