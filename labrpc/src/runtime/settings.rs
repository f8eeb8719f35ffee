//! What the environment asks for: seed, policy, number of runs, real threads.

use std::env::{self, VarError};
use std::fmt;

use contract::accidents::Accidents;
use contract::settings::{ONLY, POLICY, RUNS, RUNTIME, SEED};

use super::policy::Policy;
use super::simulation::{DEFAULT_TIME_LIMIT, Outcome, Simulation, run_real};
use super::wall;

/// In which world tests run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// In a deterministic simulation with virtual time.
    #[default]
    Sim,
    /// On real threads in real time (`LAB_RUNTIME=real`).
    Real,
}

/// How tests are to be run, as environment variables say.
///
/// | variable | meaning | unset |
/// |---|---|---|
/// | `LAB_SEED` | the seed, a number below 2^64 | a fresh one, printed when the run fails |
/// | `LAB_RUNS` | how many seeds to run, counting up from the first | 1 |
/// | `LAB_POLICY` | `fifo`, `random`, `walk`, `pct` or `stall`, see [`Policy`] | `stall` |
/// | `LAB_RUNTIME` | `sim` or `real` | `sim` |
/// | `LAB_ONLY` | the accidents that may happen, as `cargo lab shrink` prints them: ids between commas, `@FILE`, `none` or `all` | an ordinary run |
/// | `VERBOSE` | `1` prints the log | off |
///
/// A run with `LAB_ONLY` is another one than the ordinary run of the same seed: its draws do not
/// depend on their order.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The world.
    pub backend: Backend,
    /// The first seed.
    pub seed: u64,
    /// How many seeds to run.
    pub runs: u64,
    /// The policy of the simulation.
    pub policy: Policy,
    /// The accidents that may happen; `None` for an ordinary run.
    pub accidents: Option<Accidents>,
}

/// A variable of the environment that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with its value.
    pub problem: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// Names the variable that cannot be understood.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_variables(|name| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(VarError::NotPresent) => Ok(None),
            Err(VarError::NotUnicode(_)) => Err("is not valid Unicode".to_string()),
        })
    }

    /// Reads variables through `lookup`.
    fn from_variables(
        lookup: impl Fn(&str) -> Result<Option<String>, String>,
    ) -> Result<Self, SettingsError> {
        let value = |variable: &'static str| match lookup(variable) {
            Ok(value) => Ok(value.filter(|value| !value.is_empty())),
            Err(problem) => Err(SettingsError { variable, problem }),
        };
        let number = |variable: &'static str| -> Result<Option<u64>, SettingsError> {
            let Some(text) = value(variable)? else { return Ok(None) };
            let problem = format!("'{text}' is not a whole number below 2^64, such as 7741");
            text.parse().map(Some).map_err(|_| SettingsError { variable, problem })
        };
        let policy = match value(POLICY)? {
            Some(name) => {
                name.parse().map_err(|problem| SettingsError { variable: POLICY, problem })?
            }
            None => Policy::default(),
        };
        let backend = match value(RUNTIME)?.as_deref() {
            None | Some("sim") => Backend::Sim,
            Some("real") => Backend::Real,
            Some(other) => {
                let problem = format!("'{other}' is not a runtime: use sim or real");
                return Err(SettingsError { variable: RUNTIME, problem });
            }
        };
        let runs = number(RUNS)?.unwrap_or(1);
        if runs == 0 {
            let problem = "the number of runs must be at least 1".to_string();
            return Err(SettingsError { variable: RUNS, problem });
        }
        let seed = number(SEED)?.unwrap_or_else(fresh_seed);
        let only = value(ONLY)?.map(|text| Accidents::from_setting(&text)).transpose();
        let accidents = only.map_err(|problem| SettingsError { variable: ONLY, problem })?;
        if accidents.is_some() && backend == Backend::Real {
            let problem = "accidents can be chosen only in a simulation".to_string();
            return Err(SettingsError { variable: ONLY, problem });
        }
        Ok(Self { backend, seed, runs, policy, accidents })
    }

    /// The seeds to run, in order.
    pub fn seeds(&self) -> impl Iterator<Item = u64> + use<> {
        let (seed, runs) = (self.seed, self.runs);
        (0..runs).map(move |i| seed.wrapping_add(i))
    }
}

/// A random seed, short enough to be typed.
fn fresh_seed() -> u64 {
    wall::entropy() % 1_000_000_000
}

/// Runs `body` as the environment asks for, see [`Settings`], and panics with a report if it fails.
///
/// This is the small brother of the labs' own harness: enough for an example or an experiment.
///
/// # Panics
/// If a run fails, or if the environment cannot be understood.
#[track_caller]
pub fn run(body: impl Fn() + Clone + Send + Sync + 'static) {
    let settings = Settings::from_env().unwrap_or_else(|error| panic!("{error}"));
    for seed in settings.seeds() {
        let Outcome { result, .. } = match settings.backend {
            Backend::Sim => Simulation::new(seed)
                .policy(settings.policy)
                .accidents(settings.accidents.clone())
                .run(body.clone()),
            Backend::Real => run_real(seed, DEFAULT_TIME_LIMIT, body.clone()),
        };
        if let Err(failure) = result {
            panic!("{failure}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::from_variables(|name| {
            Ok(variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string()))
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn all_variables_are_understood() {
        let settings = settings(&[
            ("LAB_SEED", "18446744073709551615"),
            ("LAB_RUNS", "3"),
            ("LAB_POLICY", "pct"),
            ("LAB_RUNTIME", "real"),
        ])
        .unwrap();
        assert_eq!(settings.accidents, None);
        assert_eq!((settings.policy, settings.backend), (Policy::Pct, Backend::Real));
        assert_eq!(settings.seeds().collect::<Vec<_>>(), [u64::MAX, 0, 1]);
        let only = self::settings(&[("LAB_ONLY", "none")]).unwrap().accidents;
        assert_eq!(only, Some(Accidents::only([])));
    }

    #[test]
    fn errors_name_the_variable_and_the_value() {
        let error = |name, value| settings(&[(name, value)]).unwrap_err();
        let number = "is not a whole number below 2^64, such as 7741";
        assert_eq!(error("LAB_SEED", "12x"), format!("LAB_SEED: '12x' {number}"));
        assert_eq!(error("LAB_SEED", "-1"), format!("LAB_SEED: '-1' {number}"));
        assert_eq!(error("LAB_RUNS", "many"), format!("LAB_RUNS: 'many' {number}"));
        assert_eq!(error("LAB_RUNS", "0"), "LAB_RUNS: the number of runs must be at least 1");
        assert!(error("LAB_POLICY", "lifo").starts_with("LAB_POLICY: 'lifo' is not a policy"));
        assert!(error("LAB_RUNTIME", "fake").starts_with("LAB_RUNTIME: 'fake' is not a runtime"));
        assert!(error("LAB_ONLY", "7").starts_with("LAB_ONLY: '7' is not an accident"));
        let both = settings(&[("LAB_ONLY", "none"), ("LAB_RUNTIME", "real")]).unwrap_err();
        assert_eq!(both, "LAB_ONLY: accidents can be chosen only in a simulation");
    }
}
