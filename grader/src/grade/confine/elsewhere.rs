//! In place of what only Linux has: the levels that need it are never granted.

/// In place of Landlock.
pub(crate) mod landlocked {
    use std::io;
    use std::path::Path;

    use super::super::rules::Rules;

    pub(crate) fn version() -> Option<u32> {
        None
    }

    pub(crate) fn restrict(_rules: &Rules, _temporary: &Path) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "only Linux has Landlock"))
    }
}

/// In place of namespaces.
pub(crate) mod namespaces {
    use std::io;

    use super::super::rules::{Level, Rules};

    pub(crate) const TEMPORARY: &str = "/tmp";

    pub(crate) fn enter(_level: Level) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "only Linux has namespaces"))
    }

    pub(crate) fn set_up(_rules: &Rules) -> io::Result<()> {
        enter(Level::None)
    }

    pub(crate) fn drop_capabilities(_rules: &Rules) -> io::Result<()> {
        Ok(())
    }
}
