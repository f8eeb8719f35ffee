//! Builds patches one after the other, for both commands.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use contract::settings::{Policy, forget_verbosity};
use judge::catalog::Lab;
use judge::pool::{self, Ending};
use judge::{Builder, Catalog, Error, Judge, Limits, Resources, Stop, TestCase, Workspace};

use super::patch::{self, Patch};
use super::report::{Fate, PatchReport, Report};
use super::scratch::Scratch;
use super::sweep::{Extent, Plan, Sweep};
use crate::cli::Options;
use crate::progress::ProgressLine;

/// The maximum number of runs of a test with processes: each takes seconds, and a seed does not
/// change it.
pub(crate) const REAL_RUNS: u64 = 4;

/// Bytes that a test process may print.
const OUTPUT: u64 = 32 << 20;

/// The state of one command.
pub(crate) struct Session<'a> {
    collection: &'static str,
    options: &'a Options,
    patches: Vec<Patch>,
    catalog: Catalog,
    judge: Judge,
    progress: ProgressLine,
    scratch: Scratch,
}

/// A lab's reference solution, with which patches are compared.
pub(crate) struct Reference {
    /// The selected tests.
    cases: Vec<TestCase>,
}

/// The result of building with a patch.
enum Patched {
    /// The selected tests of the build.
    Built(Vec<TestCase>),
    /// With git's message.
    DoesNotApply(String),
    /// With the compiler's message.
    DoesNotCompile(String),
}

/// A patch, its build, and the reference.
struct Attempt<'s> {
    patch: &'s Patch,
    reference: Rc<Reference>,
    patched: Patched,
    /// When its build began.
    begun: Instant,
}

impl<'a> Session<'a> {
    /// Finds the selected patches of `collection`, and copies the workspace.
    ///
    /// # Errors
    /// If nothing matches, or the workspace cannot be copied.
    pub(crate) fn open(collection: &'static str, options: &'a Options) -> Result<Self, Error> {
        let workspace = Workspace::find()?;
        let patches = patch::matching(workspace.root(), collection, options.pattern.as_deref())?;
        let stop = Stop::on_signals()?;
        let progress = ProgressLine::new();
        progress.set("copying the workspace".to_string());
        let wall = options.time_out();
        let judge = Judge::new(
            Limits { wall, cpu: Some(wall), output: OUTPUT, resources: Resources::default() },
            stop,
        )?;
        let judge = judge.wrap(Box::new(|mut command| {
            forget_verbosity(&mut command);
            command
        }));
        let catalog = workspace.catalog()?;
        let scratch = Scratch::new(&workspace, &catalog)?;
        Ok(Self { collection, options, patches, catalog, judge, progress, scratch })
    }

    /// Builds every patch, in order.
    fn attempts(&self) -> impl Iterator<Item = Result<Attempt<'_>, Error>> {
        let mut references: BTreeMap<&str, Rc<Reference>> = BTreeMap::new();
        self.patches.iter().map(move |patch| {
            let reference = match references.get(&*patch.lab) {
                Some(reference) => Rc::clone(reference),
                None => {
                    let reference = Rc::new(self.reference(&patch.lab)?);
                    references.clear(); // Only one is in use at a time.
                    references.insert(&patch.lab, Rc::clone(&reference));
                    reference
                }
            };
            let begun = Instant::now();
            let patched = self.build_patched(patch)?;
            Ok(Attempt { patch, reference, patched, begun })
        })
    }

    /// Lets `work` fill in the report of each patch that is built, and prints each at once. An
    /// interrupt shortens the report.
    ///
    /// # Errors
    /// If the harness fails.
    pub(crate) fn report(
        &self,
        work: impl Fn(&Patch, &Reference, Vec<TestCase>, &mut PatchReport) -> Result<(), Error>,
    ) -> Result<Report, Error> {
        let examine = |Attempt { patch, reference, patched, begun }: Attempt<'_>| {
            let mut report = PatchReport::new(patch);
            match patched {
                Patched::DoesNotApply(why) => report.fate = Fate::DoesNotApply(why),
                Patched::DoesNotCompile(why) => report.fate = Fate::DoesNotCompile(why),
                Patched::Built(cases) => work(patch, &reference, cases, &mut report)?,
            }
            report.seconds = begun.elapsed().as_secs_f64();
            Ok(report)
        };
        let (mut reports, mut interrupted) = (Vec::new(), false);
        for attempt in self.attempts() {
            match attempt.and_then(examine) {
                Ok(report) => {
                    self.progress.print(&report.line());
                    reports.push(report);
                }
                Err(Error::Interrupted) => {
                    interrupted = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let report = Report::new(self.collection, reports, interrupted);
        if let Some(path) = &self.options.json {
            report.write_json(path)?;
        }
        Ok(report)
    }

    /// Builds the reference, and checks that it passes each test once.
    ///
    /// # Errors
    /// If it does not: patches would prove nothing.
    fn reference(&self, lab: &str) -> Result<Reference, Error> {
        self.progress.set(format!("{lab}: building the reference"));
        let cases = self.build(self.lab(lab)?)?.map_err(|diagnostics| {
            Error::harness(format!("the reference of {lab} does not compile\n{diagnostics}"))
        })?;
        if cases.is_empty() {
            let wanted = self.options.test.as_deref().unwrap_or_default();
            let what = format!("{lab} has no grading test with '{wanted}' in its name");
            return Err(Error::NothingMatched(what));
        }
        let first = self.options.first_seed;
        let (seeds, extent) = (first..first + 1, Extent::FirstFailure);
        let plan = Plan { seeds, policy: Policy::default(), extent };
        for sweep in self.sweep(&cases, &plan, &format!("{lab}: the reference"))? {
            if let Some(failure) = sweep.failures.first() {
                let (test, seed, why) = (&sweep.test, failure.seed, &failure.why);
                let what = format!("the reference of {lab} fails {test}, seed {seed}: {why}");
                return Err(Error::Harness(what));
            }
        }
        Ok(Reference { cases })
    }

    /// The catalog's entry of a lab.
    fn lab(&self, name: &str) -> Result<&Lab, Error> {
        let missing = || Error::harness(format!("lab/labs.toml has no lab {name}"));
        self.catalog.lab(name).ok_or_else(missing)
    }

    /// Builds the tests of a lab in the scratch tree as it is now.
    fn build(&self, lab: &Lab) -> Result<Result<Vec<TestCase>, String>, Error> {
        let builds = self.scratch.files().join("builds");
        let builder = Builder {
            tree: self.scratch.tree(),
            target: Some(self.scratch.target()),
            release: false,
            debug: false, // Each of these binaries is used once, and never debugged.
            shown: false,
            builds: &builds,
            stop: self.judge.stop(),
            sandbox: None,
        };
        Ok(builder.build(lab)?.map(|build| {
            let mut cases = TestCase::all(lab, &Arc::new(build));
            let wanted = self.options.test.as_deref().unwrap_or_default();
            cases.retain(|case| case.path.contains(wanted));
            cases
        }))
    }

    /// Builds the lab with a patch, and reverts the patch.
    fn build_patched(&self, patch: &Patch) -> Result<Patched, Error> {
        self.progress.set(format!("{patch}: building"));
        let lab = self.lab(&patch.lab)?;
        Ok(match self.scratch.patched(patch, || self.build(lab))? {
            Ok(Ok(mut cases)) => {
                patch.keep_own_tests(lab, &mut cases)?;
                Patched::Built(cases)
            }
            Ok(Err(diagnostics)) => Patched::DoesNotCompile(diagnostics),
            Err(why) => Patched::DoesNotApply(why),
        })
    }

    /// Runs these tests as planned. The results are in the order of the tests.
    ///
    /// # Errors
    /// If a test cannot be run, or the user interrupts.
    pub(crate) fn sweep(
        &self,
        cases: &[TestCase],
        plan: &Plan,
        label: &str,
    ) -> Result<Vec<Sweep>, Error> {
        let (start, last, policy) = (plan.seeds.start, plan.seeds.end - 1, plan.policy);
        let tell = |done: usize| {
            let all = cases.len();
            self.progress
                .set(format!("{label}: seeds {start}-{last}, {policy}: {done} of {all} tests"));
        };
        tell(0);
        let (judge, first) = (&self.judge, self.options.first_seed);
        let work = |(place, case): (usize, &TestCase)| {
            let Range { start, mut end } = plan.seeds;
            if case.real {
                end = end.min(first + REAL_RUNS).max(start);
            }
            let plan = Plan { seeds: start..end, ..plan.clone() };
            Ok(Sweep::run(judge, case, &plan)?.map(|sweep| (place, sweep)))
        };
        let mut sweeps = BTreeMap::new();
        let jobs = cases.iter().enumerate();
        let workers = self.options.workers();
        let ending = pool::run(jobs, workers, judge.stop(), work, |(place, sweep)| {
            sweeps.insert(place, sweep);
            tell(sweeps.len());
            Ok(())
        })?;
        match ending {
            Ending::Interrupted => Err(Error::Interrupted),
            Ending::Finished => Ok(sweeps.into_values().collect()),
        }
    }

    /// Whether the reference passes a test with a seed.
    ///
    /// # Errors
    /// If the test cannot be run, or the user interrupts.
    pub(crate) fn reference_passes(
        &self,
        reference: &Reference,
        test: &str,
        seed: u64,
        policy: Policy,
    ) -> Result<bool, Error> {
        let plan = Plan { seeds: seed..seed + 1, policy, extent: Extent::FirstFailure };
        let mut cases = reference.cases.clone();
        cases.retain(|case| case.name == test);
        let sweeps = self.sweep(&cases, &plan, &format!("the reference and {test}"))?;
        Ok(sweeps.iter().all(|sweep| sweep.failures.is_empty()))
    }
}
