//! Whether a build failed because the disk is full, which is not the fault of the code.

use std::path::Path;

use rustix::fs::statvfs;

/// Words of cargo, the compiler and the linker for a disk or a quota that is full. A linker that
/// maps its output dies of SIGBUS instead.
const WORDS: [&str; 6] = [
    "No space left on device",
    "os error 28)",
    "Disk quota exceeded",
    "os error 122)",
    "SIGBUS",
    "[Bus error]",
];

/// With fewer free bytes than this after a failed build, the build may have lacked them: a compiler
/// that fails removes what it has written.
const SCARCE: u64 = 1 << 30;

/// Whether the output of a build says that the disk is full. Code can make the compiler print these
/// words, so they prove nothing.
pub(crate) fn is_said(diagnostics: &str) -> bool {
    WORDS.iter().any(|words| diagnostics.contains(words))
}

/// The number of free bytes on the disk of a directory, if there are few.
pub(crate) fn scarce(directory: &Path) -> Option<u64> {
    free(directory).filter(|free| *free < SCARCE)
}

/// The number of free bytes on the disk of a directory, which may not exist yet.
fn free(directory: &Path) -> Option<u64> {
    let disk = directory.ancestors().find_map(|directory| statvfs(directory).ok())?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_all_tools_are_known() {
        for said in [
            "error: failed to write `/t/debug/x`: No space left on device (os error 28)",
            "collect2: fatal error: ld terminated with signal 7 [Bus error], core dumped",
            "(signal: 7, SIGBUS: access to undefined memory)",
            "error: could not write output: Disk quota exceeded (os error 122)",
        ] {
            assert!(is_said(said), "{said}");
        }
        assert!(!is_said("error[E0308]: mismatched types (os error 2)"));
    }

    #[test]
    fn free_space_is_that_of_the_nearest_directory() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(free(here).is_some() && free(&here.join("no/such")).is_some());
    }
}
