//! Which reduce task a key belongs to.

/// The reduce task, of `reduces`, that handles `key`: FNV-1a of 32 bits without its top bit, modulo
/// the number of tasks, as in the course.
pub(crate) fn partition(key: &str, reduces: u32) -> u32 {
    let hash = key
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash & 0x7fff_ffff) % reduces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The buckets that the course's hash gives, with ten reduce tasks.
    #[test]
    fn keys_go_where_the_course_puts_them() {
        let buckets: Vec<u32> =
            "abcdefghij".chars().map(|c| partition(&c.to_string(), 10)).collect();
        assert_eq!(buckets, [2, 9, 0, 5, 6, 3, 4, 3, 4, 1]);
    }
}
