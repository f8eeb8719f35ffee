//! The recording of a run in a sandbox: its launcher reads it and sends it to the judge.
//!
//! A run in a sandbox cannot write where the judge wants the file, so the launcher's `prepare` names
//! another place. When the run is over, everything there is the work of the tested code.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use contract::settings::RECORD;
use rustix::fs::OFlags;

/// Bytes of a recording. An honest one has at most 24 MB of events, and a report.
const MOST: u64 = 28 << 20;

/// Where `command` writes a recording, if this differs from what the judge has named.
pub(crate) fn elsewhere(command: &Command) -> Option<PathBuf> {
    let given = command.get_envs().find(|(name, _)| *name == RECORD)?;
    given.1.map(PathBuf::from)
}

/// The recording in a file that tested code could write; `None` if there is none. A link would lead
/// this process to files that the code cannot read, and a pipe would block it. Control characters
/// and bytes that are not UTF-8 would become several times as long in the message to the judge; an
/// honest recording is lines of JSON and has none.
pub(crate) fn read(path: &Path) -> Option<String> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path).ok()?;
    text(file).ok()
}

fn text(file: File) -> io::Result<String> {
    let data = file.metadata()?;
    if !data.is_file() || data.nlink() != 1 || data.len() > MOST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes)?;
    if bytes.iter().any(|byte| *byte < b' ' && *byte != b'\n') {
        return Err(io::ErrorKind::InvalidData.into());
    }
    String::from_utf8(bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_a_plain_file_of_its_own_is_read() {
        let directory = std::env::temp_dir().join(format!("judge-recorded-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = |name: &str| directory.join(name);
        fs::write(path("plain"), "a line\n\u{ff}").unwrap();
        assert_eq!(read(&path("plain")).as_deref(), Some("a line\n\u{ff}"));
        symlink(path("plain"), path("link")).unwrap();
        fs::write(path("control"), "a line\n\0").unwrap();
        fs::write(path("binary"), b"a line\n\xff").unwrap();
        fs::write(path("one"), "two names").unwrap();
        fs::hard_link(path("one"), path("other")).unwrap();
        File::create(path("large")).unwrap().set_len(MOST + 1).unwrap();
        let pipe = Command::new("mkfifo").arg(path("pipe")).status().unwrap();
        assert!(pipe.success());
        for name in ["control", "binary", "link", "other", "large", "pipe", "", "missing"] {
            assert_eq!(read(&path(name)), None, "{name}");
        }
        fs::remove_dir_all(directory).unwrap();
    }
}
