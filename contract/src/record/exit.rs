//! How commands end.

use std::process::ExitCode;

/// The outcome of a command. Of several outcomes, the greatest in this order counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything passed.
    #[default]
    Passed,
    /// A checker reached its limit, so the result is not known.
    Inconclusive,
    /// Interrupted before anything failed.
    Interrupted,
    /// Wrong usage, or a problem of the machine.
    Harness,
    /// A test failed.
    Failed,
    /// Code does not compile.
    DoesNotCompile,
    /// The pattern matched nothing.
    NothingMatched,
}

impl Exit {
    /// The exit codes, for help texts.
    pub const HELP: &str = "\
Exit codes: 0 all passed, 1 a test failed, 2 inconclusive, 3 does not compile, 4 nothing matched,
5 wrong usage or a problem of the machine, 130 interrupted before a test failed.";

    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Inconclusive => 2,
            Exit::DoesNotCompile => 3,
            Exit::NothingMatched => 4,
            Exit::Harness => 5,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
