//! `variants`: every test must accept every correct solution.

use contract::record::Exit;
use contract::settings::Policy;
use judge::{Error, TestCase};

use super::patch::Patch;
use super::report::{Fate, Kill, PatchReport};
use super::session::Session;
use super::sweep::{Extent, Plan};
use crate::cli::VariantOptions;
use crate::progress;

/// Runs the command.
///
/// # Errors
/// If nothing matches, or the harness fails.
pub(crate) fn run(options: &VariantOptions) -> Result<Exit, Error> {
    let session = Session::open("variants", &options.common)?;
    let report = session
        .report(|patch, _, cases, report| examine(&session, options, patch, cases, report))?;
    drop(session); // Removes the scratch tree and the progress line.
    progress::print(&report.summary());
    Ok(report.exit())
}

/// Runs all tests of one variant with each policy.
fn examine(
    session: &Session<'_>,
    options: &VariantOptions,
    patch: &Patch,
    mut cases: Vec<TestCase>,
    report: &mut PatchReport,
) -> Result<(), Error> {
    let first = options.common.first_seed;
    let seeds = first..first + options.seeds.get();
    let (mut refusals, mut unknown) = (Vec::new(), 0);
    for &policy in policies(options) {
        let plan = Plan { seeds: seeds.clone(), policy, extent: Extent::AllSeeds };
        let sweeps = session.sweep(&cases, &plan, &patch.to_string())?;
        cases.retain(|case| !case.real); // Policies do not apply to processes.
        for sweep in &sweeps {
            unknown += sweep.unknown;
            report.runs += sweep.runs;
            let kill = |failure| Kill::new(sweep, failure, policy);
            refusals.extend(sweep.failures.iter().map(kill));
        }
    }
    report.fate = match (refusals.is_empty(), unknown) {
        (false, _) => Fate::Refused(refusals),
        (true, 0) => Fate::Accepted,
        (true, _) => Fate::Inconclusive,
    };
    Ok(())
}

/// The policies on the command line, or else all policies.
fn policies(options: &VariantOptions) -> &[Policy] {
    if options.policy.is_empty() { &Policy::ALL } else { &options.policy }
}
