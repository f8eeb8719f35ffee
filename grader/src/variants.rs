//! `variants`: every test must accept every correct solution.

use std::time::Instant;

use clap::ValueEnum as _;

use crate::cli::{Policy, VariantOptions};
use crate::error::{Error, Exit};
use crate::patch::Patch;
use crate::progress;
use crate::report::{Fate, Kill, PatchReport};
use crate::session::{Patched, Plan, Reference, Session};
use crate::sweep::Extent;

/// Runs the command.
///
/// # Errors
/// If nothing matches, or the harness fails.
pub(crate) fn run(options: &VariantOptions) -> Result<Exit, Error> {
    let report = Session::run("variants", &options.common, |session, reference, patch| {
        examine(session, reference, patch, options)
    })?;
    progress::print(&report.summary());
    Ok(report.exit())
}

/// Builds one variant, and runs all tests under each policy.
fn examine(
    session: &Session<'_>,
    reference: &Reference,
    patch: &Patch,
    options: &VariantOptions,
) -> Result<PatchReport, Error> {
    let begin = Instant::now();
    let mut report = PatchReport::new(patch);
    match session.build_patched(patch)? {
        Patched::DoesNotApply(why) => report.fate = Fate::DoesNotApply(why),
        Patched::DoesNotCompile(why) => report.fate = Fate::DoesNotCompile(why),
        Patched::Built(build) => {
            let first = options.common.first_seed;
            let seeds = first..first + options.seeds.get();
            let (mut refusals, mut unknown) = (Vec::new(), 0);
            let mut tests = reference.tests.clone();
            for &policy in policies(options) {
                let plan = Plan { seeds: seeds.clone(), policy, extent: Extent::AllSeeds };
                let label = patch.to_string();
                let sweeps = session.sweep(reference, &build, &tests, &plan, &label)?;
                tests.retain(|test| !test.real); // Policies mean nothing to processes.
                for sweep in &sweeps {
                    unknown += sweep.unknown;
                    report.runs += sweep.runs;
                    let kill = |failure| Kill::new(&sweep.test, failure, policy);
                    refusals.extend(sweep.failures.iter().map(kill));
                }
            }
            report.fate = match (refusals.is_empty(), unknown) {
                (false, _) => Fate::Refused(refusals),
                (true, 0) => Fate::Accepted,
                (true, _) => Fate::Inconclusive,
            };
        }
    }
    report.seconds = begin.elapsed().as_secs_f64();
    Ok(report)
}

/// The policies that were asked for; all of them if none was.
fn policies(options: &VariantOptions) -> &[Policy] {
    if options.policy.is_empty() { Policy::value_variants() } else { &options.policy }
}
