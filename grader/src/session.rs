//! What both commands share: the scratch tree, the user, and how tests are run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

use crate::build::{Build, build, test_command};
use crate::cli::{Options, Policy};
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::patch::{self, Patch};
use crate::pool;
use crate::process::{self, End, Limits};
use crate::progress::Progress;
use crate::report::{PatchReport, Report};
use crate::scratch::Scratch;
use crate::sweep::{Extent, Runner, Sweep, Test};
use crate::workspace::Workspace;

/// How many runs of a test with processes are enough: each takes seconds, and is like the one
/// before.
const REAL_RUNS: u64 = 4;

/// Bytes that a test process may print.
const OUTPUT: u64 = 32 << 20;

/// The work on one command.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    options: &'a Options,
    /// The user's view.
    progress: Progress,
    interrupt: Interrupt,
    scratch: Scratch,
}

/// A lab's reference: what patches are compared with.
#[derive(Debug)]
pub(crate) struct Reference {
    /// The package.
    pub(crate) lab: String,
    /// Its grading tests.
    pub(crate) build: Build,
    /// The tests that were asked for.
    pub(crate) tests: Vec<Test>,
}

/// What became of a patch.
#[derive(Clone, Debug)]
pub(crate) enum Patched {
    /// It is built, until the next patch is.
    Built(Build),
    /// Git refuses the patch, and says why.
    DoesNotApply(String),
    /// The compiler refuses the sources, and says why.
    DoesNotCompile(String),
}

/// Which runs are to be made.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The seeds.
    pub(crate) seeds: Range<u64>,
    /// The policy.
    pub(crate) policy: Policy,
    /// Whether the first failure of a test is enough.
    pub(crate) extent: Extent,
}

/// Patches by lab.
type Collection = BTreeMap<String, Vec<Patch>>;

impl<'a> Session<'a> {
    /// Does `work` for each patch of `collection` that was asked for, and reports what became of
    /// them.
    ///
    /// # Errors
    /// If nothing matches, or the harness fails. An interrupt only shortens the report.
    pub(crate) fn run(
        collection: &'static str,
        options: &'a Options,
        work: impl Fn(&Self, &Reference, &Patch) -> Result<PatchReport, Error>,
    ) -> Result<Report, Error> {
        let (session, patches) = Self::open(collection, options)?;
        let (reports, interrupted) =
            session.for_each(&patches, |reference, patch| work(&session, reference, patch))?;
        let report = Report::new(collection, reports, interrupted);
        if let Some(path) = &options.json {
            report.write_json(path)?;
        }
        Ok(report)
    }

    /// Finds the patches of `collection` that were asked for, and copies the workspace.
    ///
    /// # Errors
    /// If nothing matches, or the workspace cannot be copied.
    fn open(collection: &str, options: &'a Options) -> Result<(Self, Collection), Error> {
        let workspace = Workspace::find()?;
        let patches = patch::matching(&workspace.root, collection, options.pattern.as_deref())?;
        let interrupt = Interrupt::on_signal()?;
        let progress = Progress::new();
        progress.set("copying the workspace".to_string());
        let labs: BTreeSet<&str> = patches.iter().map(|patch| &*patch.lab).collect();
        let scratch = Scratch::new(&workspace, &labs)?;
        let mut collection = Collection::new();
        for patch in patches {
            collection.entry(patch.lab.clone()).or_default().push(patch);
        }
        Ok((Self { options, progress, interrupt, scratch }, collection))
    }

    /// Does `work` for each patch, and prints what becomes of it. The flag says that the user has
    /// interrupted, so that some are missing.
    ///
    /// # Errors
    /// If the harness fails.
    fn for_each(
        &self,
        collection: &Collection,
        work: impl Fn(&Reference, &Patch) -> Result<PatchReport, Error>,
    ) -> Result<(Vec<PatchReport>, bool), Error> {
        let mut reports = Vec::new();
        for (lab, patches) in collection {
            let reference = match self.reference(lab) {
                Ok(reference) => reference,
                Err(Error::Interrupted) => return Ok((reports, true)),
                Err(error) => return Err(error),
            };
            for patch in patches {
                match work(&reference, patch) {
                    Ok(report) => {
                        self.progress.print(&report.line());
                        reports.push(report);
                    }
                    Err(Error::Interrupted) => return Ok((reports, true)),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((reports, false))
    }

    /// Builds the reference, and checks that it passes each test once.
    ///
    /// # Errors
    /// If it does not: then nothing can be learned from patches.
    fn reference(&self, lab: &str) -> Result<Reference, Error> {
        self.progress.set(format!("{lab}: building the reference"));
        let built = build(&self.scratch, lab, "reference", &self.interrupt)?;
        let build = built.map_err(|diagnostics| {
            Error::Harness(format!("the reference of {lab} does not compile\n{diagnostics}"))
        })?;
        let mut reference = Reference { lab: lab.to_string(), build, tests: Vec::new() };
        let names = self.list(&reference)?;
        let tests = names.into_iter().map(|name| Test { name, seeded: true, real: false });
        let tests = tests.collect();
        reference.tests = self.baseline(&reference, tests)?;
        Ok(reference)
    }

    /// The names of the tests that were asked for.
    fn list(&self, reference: &Reference) -> Result<Vec<String>, Error> {
        let all = self.listed(reference, &[])?;
        let ignored = self.listed(reference, &["--ignored"])?;
        let wanted = self.options.test.as_deref().unwrap_or_default();
        let tests = all.difference(&ignored).filter(|name| name.contains(wanted));
        let tests: Vec<String> = tests.cloned().collect();
        if tests.is_empty() {
            let lab = &reference.lab;
            let what = format!("{lab} has no grading test whose name contains '{wanted}'");
            return Err(Error::NothingMatched(what));
        }
        Ok(tests)
    }

    /// The tests that libtest lists.
    fn listed(&self, reference: &Reference, flags: &[&str]) -> Result<BTreeSet<String>, Error> {
        let output = self.scratch.files().join("list");
        let mut command = test_command(&self.scratch, &reference.build.tests, &reference.lab);
        command.args(["--list", "--format", "terse"]).args(flags);
        let limits = self.limits();
        let end = process::run(&mut command, &output, None, limits, &self.interrupt)?;
        if !matches!(end, End::Exited(status) if status.success()) {
            let lab = &reference.lab;
            return Err(Error::Harness(format!("the tests of {lab} cannot be listed: {end:?}")));
        }
        let text =
            fs::read_to_string(&output).map_err(|error| Error::io("read", &output, &error))?;
        Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(String::from).collect())
    }

    /// Runs each test once on the reference, which shows what kind of test it is: one that passes
    /// without a record is a plain test.
    fn baseline(&self, reference: &Reference, tests: Vec<Test>) -> Result<Vec<Test>, Error> {
        let first = self.options.first_seed;
        let plan =
            Plan { seeds: first..first + 1, policy: Policy::Stall, extent: Extent::FirstFailure };
        let label = format!("{}: the reference", reference.lab);
        let once = |tests: &[Test]| self.sweep(reference, &reference.build, tests, &plan, &label);
        let (mut passing, mut unclear) = (Vec::new(), Vec::new());
        for (mut test, sweep) in tests.clone().into_iter().zip(once(&tests)?) {
            if sweep.failures.is_empty() {
                passing.push(sweep.test);
            } else {
                test.seeded = false;
                unclear.push(test);
            }
        }
        for (test, sweep) in unclear.clone().into_iter().zip(once(&unclear)?) {
            if let Some(failure) = sweep.failures.first() {
                let (lab, name, seed, why) =
                    (&reference.lab, &test.name, failure.seed, &failure.why);
                let what = format!("the reference of {lab} fails {name}, seed {seed}: {why}");
                return Err(Error::Harness(what));
            }
            passing.push(test);
        }
        Ok(passing)
    }

    /// Builds the lab with a patch, and takes the patch back.
    ///
    /// # Errors
    /// If files cannot be written, or the user interrupts.
    pub(crate) fn build_patched(&self, patch: &Patch) -> Result<Patched, Error> {
        self.progress.set(format!("{patch}: building"));
        let built = self
            .scratch
            .patched(patch, || build(&self.scratch, &patch.lab, "patched", &self.interrupt))?;
        Ok(match built {
            Ok(Ok(build)) => Patched::Built(build),
            Ok(Err(diagnostics)) => Patched::DoesNotCompile(diagnostics),
            Err(why) => Patched::DoesNotApply(why),
        })
    }

    /// Runs these tests of a build as planned; the results are in the tests' order.
    ///
    /// # Errors
    /// If a test cannot be run, or the user interrupts.
    pub(crate) fn sweep(
        &self,
        reference: &Reference,
        build: &Build,
        tests: &[Test],
        plan: &Plan,
        label: &str,
    ) -> Result<Vec<Sweep>, Error> {
        build.install()?;
        let runner = Runner {
            scratch: &self.scratch,
            lab: &reference.lab,
            binary: &build.tests,
            limits: self.limits(),
            interrupt: &self.interrupt,
        };
        let (first, last) = (plan.seeds.start, plan.seeds.end - 1);
        let tell = |done: usize| {
            let all = tests.len();
            let policy = plan.policy.name();
            self.progress
                .set(format!("{label}: seeds {first}-{last}, {policy}: {done} of {all} tests"));
        };
        tell(0);
        let work = |test: &Test| {
            let Range { start, mut end } = plan.seeds;
            if test.real {
                end = end.min(self.options.first_seed + REAL_RUNS);
            }
            runner.sweep(test, start..end, plan.policy, plan.extent)
        };
        pool::run_all(tests.iter().collect(), self.options.workers(), work, tell)
    }

    /// Whether the reference passes a test under a seed.
    ///
    /// # Errors
    /// If the test cannot be run, or the user interrupts.
    pub(crate) fn reference_passes(
        &self,
        reference: &Reference,
        test: &Test,
        seed: u64,
        policy: Policy,
    ) -> Result<bool, Error> {
        let plan = Plan { seeds: seed..seed + 1, policy, extent: Extent::FirstFailure };
        let label = format!("{}: the reference", reference.lab);
        let tests = std::slice::from_ref(test);
        let sweeps = self.sweep(reference, &reference.build, tests, &plan, &label)?;
        Ok(sweeps.iter().all(|sweep| sweep.failures.is_empty()))
    }

    /// What a test process may do.
    fn limits(&self) -> Limits {
        Limits { silence: self.options.time_out(), output: OUTPUT }
    }
}
