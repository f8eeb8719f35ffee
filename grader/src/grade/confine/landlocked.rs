//! Restricts a thread, and what it starts, to listed files.

use std::io;
use std::path::Path;
use std::thread;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};

use super::rules::{Level, Rules};

/// The newest version of Landlock whose rights are listed here. An older kernel enforces those that
/// it knows.
const NEWEST: ABI = ABI::V9;

/// Devices that everyone may write to.
const DEVICES: [&str; 2] = ["/dev/null", "/dev/full"];

/// Restricts this thread.
///
/// # Errors
/// If the kernel does not enforce it.
pub(crate) fn restrict(rules: &Rules, temporary: &Path) -> io::Result<()> {
    match apply(rules, temporary) {
        Ok(RulesetStatus::NotEnforced) => {
            Err(io::Error::new(io::ErrorKind::Unsupported, "the kernel has no Landlock"))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::other(format!("Landlock: {error}"))),
    }
}

fn apply(rules: &Rules, temporary: &Path) -> Result<RulesetStatus, RulesetError> {
    let all = AccessFs::from_all(NEWEST);
    let mut ruleset = Ruleset::default().handle_access(all)?.scope(Scope::from_all(NEWEST))?;
    if rules.level < Level::Network {
        // Not even loopback: Landlock knows ports, but no addresses.
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?;
    }
    let status = ruleset
        .create()?
        .add_rules(path_beneath_rules(&rules.read, AccessFs::from_read(NEWEST)))?
        .add_rules(path_beneath_rules(&rules.write, all))?
        .add_rules(path_beneath_rules(DEVICES, AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules([temporary], all & !AccessFs::Execute))?
        .restrict_self()?;
    Ok(status.ruleset)
}

/// The version of Landlock that is enforced: the kernel's, or the newest one that is known here.
pub(crate) fn version() -> Option<u32> {
    // A kernel tells it when it restricts a thread; this one may do all that it needs.
    let restrict = || -> Option<LandlockStatus> {
        let handled = Ruleset::default().handle_access(AccessFs::MakeBlock).ok()?;
        Some(handled.create().ok()?.restrict_self().ok()?.landlock)
    };
    match thread::spawn(restrict).join().ok()?? {
        LandlockStatus::Available { effective_abi, .. } => Some(effective_abi as u32),
        _ => None,
    }
}
