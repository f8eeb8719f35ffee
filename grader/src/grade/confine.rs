//! The sandbox: what keeps submitted code from the rest of the machine, while it is compiled and
//! while it runs.
//!
//! The compiler reads files for the code that it compiles, so the same rules hold for cargo as for
//! the tests: the toolchain, the registry, the handout's tree and the system's libraries can be
//! read; only cargo's target directory (by the build) and a private directory for temporary files
//! can be written to. The environment holds nothing but what is listed here.
//!
//! | module | what it does |
//! |---|---|
//! | [`rules`] | what a command may do, and how strongly that is enforced |
//! | [`mod@enter`] | the launcher of a confined command |
//! | `landlocked` | restricts a command to listed files |
//! | `namespaces` | gives a command its own network, processes and `/tmp` |
//! | [`user`] | the user that runs submitted code if the grader is root |
//!
//! Only Linux has these means. Elsewhere, the [`Level`] is [`Level::None`].
//!
//! What no level stops: code knows which test is running, and can read its own memory (but it cannot
//! write to it by means of files). It can read what all users can read in `/usr`. It can use bugs
//! of the kernel. Below [`Level::Processes`] it can read the command lines of other processes, and
//! with [`Level::Landlock`] it can send UDP packets. Memory, processes and directories are only
//! looked at every 50 ms: for a moment it can use more.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod enter;
#[cfg(target_os = "linux")]
mod landlocked;
#[cfg(target_os = "linux")]
mod namespaces;
pub(crate) mod rules;
mod user;

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use judge::{Error, Limits, Resources, Sandbox, Stop, Wrap, cargo, output_of};
use rustix::process::getuid;

#[cfg(not(target_os = "linux"))]
use self::elsewhere::{landlocked, namespaces};
pub(crate) use self::enter::enter;
use self::rules::{Level, Rules};
use crate::cli::GradeOptions;

/// What every command may read and execute.
const SYSTEM: [&str; 17] = [
    "/bin",
    "/dev/random",
    "/dev/urandom",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/localtime",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/sbin",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/usr",
];

/// The parts of cargo's home that a build may read: not the credentials.
const OF_CARGO: [&str; 4] = ["config", "config.toml", "git", "registry"];

/// The variables that a command inherits. What the judge sets is added.
const INHERITED: [&str; 2] = ["LANG", "LC_ALL"];

/// The processor time of each process of a build.
const BUILD: Duration = Duration::from_secs(300);

/// The real time of a build. On a machine that is busy with other things, it takes long.
const BUILD_WALL: Duration = Duration::from_secs(1800);

/// Bytes that a build may print.
const BUILD_OUTPUT: u64 = 16 << 20;

/// What a build may use.
const OF_BUILD: Resources = Resources {
    memory: Some(4 << 30),
    processes: Some(128),
    directories: Some(8 << 30),
    file: Some(512 << 20),
    open_files: Some(4096),
};

/// What a run may use.
pub(crate) const OF_RUN: Resources = Resources {
    memory: Some(2 << 30),
    processes: Some(64),
    directories: Some(1 << 30),
    file: Some(512 << 20),
    open_files: Some(1024),
};

/// The sandbox of a slot.
pub(crate) struct Confinement {
    build: Wrap,
    run: Arc<dyn Fn(Command) -> Command + Send + Sync>,
    list: Wrap,
    protection: String,
    landlock: Option<u32>,
}

/// The directories of a slot.
#[derive(Clone, Debug)]
pub(crate) struct Directories {
    /// The handout with the submitted sources.
    pub(crate) tree: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    /// Where directories for temporary files are made.
    pub(crate) scratch: PathBuf,
}

impl Confinement {
    /// Finds the strongest sandbox that this system grants.
    ///
    /// # Errors
    /// If it does not suffice for the submissions of others.
    pub(crate) fn open(
        directories: &Directories,
        options: &GradeOptions,
        stop: &Stop,
    ) -> Result<Self, Error> {
        let is_foreign = !options.submissions.is_empty();
        let is_root = getuid().is_root();
        if is_root && is_foreign && !options.allow_root {
            return Err(Error::harness(
                "submitted code must not run as root: use another user, or --allow-root, which \
                 runs it as a user without rights",
            ));
        }
        without_configuration(&directories.tree)?;
        let user = is_root.then(|| user::unused(&directories.target)).transpose()?;
        for directory in [&directories.target, &directories.scratch] {
            fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        }
        if let Some(user) = user {
            user::give(&directories.target, user)?;
        }
        let mut reason = String::new();
        let is_wanted = |level: &Level| options.protection.is_none_or(|most| *level <= most);
        for level in Level::ALL.into_iter().filter(is_wanted) {
            let is_enough = level > Level::None || !is_foreign || options.unsafe_no_sandbox;
            if !is_enough {
                return Err(Error::harness(format!(
                    "this system grants no sandbox, so the code of a submission could read and \
                     change your files: {reason}; grade on Linux 5.13 or later, or use \
                     --unsafe-no-sandbox in a container or virtual machine that holds nothing else"
                )));
            }
            let confinement = Self::at(level, user, directories)?;
            match confinement.probe(&directories.tree, stop)? {
                Ok(()) => return Ok(confinement),
                Err(why) => reason = why,
            }
        }
        let advice = match user {
            Some(_) => {
                "; all users must be able to enter the directories of the toolchain and slots"
            }
            None => "",
        };
        Err(Error::harness(format!("cannot run cargo in the slot: {reason}{advice}")))
    }

    /// The sandbox with this strength.
    fn at(level: Level, user: Option<u32>, directories: &Directories) -> Result<Self, Error> {
        let sysroot =
            output_of(Command::new("rustc").args(["--print", "sysroot"]), "rustc --print sysroot")?;
        let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
        let cargo_home = cargo_home()?;
        let rules = Rules {
            level,
            user,
            read: SYSTEM.iter().map(PathBuf::from).collect(),
            write: Vec::new(),
            scratch: directories.scratch.clone(),
            // A run that fills it is stopped before it gets an error, which it could ignore.
            scratch_bytes: OF_RUN.directories.unwrap_or_default() + (512 << 20),
        };
        let mut of_run = rules;
        of_run.read.push(directories.tree.clone());
        let mut of_build = of_run.clone();
        of_build.read.push(sysroot.clone());
        of_build.read.extend(OF_CARGO.iter().map(|part| cargo_home.join(part)));
        of_build.write.push(directories.target.clone());
        let all = of_build.read.iter().chain([&of_build.scratch, &directories.target]);
        if let Some(path) = all.into_iter().find(|path| path.to_str().is_none()) {
            return Err(Error::harness(format!("{}: this path is not UTF-8", path.display())));
        }
        let path =
            env::join_paths([&*sysroot.join("bin"), Path::new("/usr/bin"), Path::new("/bin")])
                .map_err(|error| Error::harness(format!("{}: {error}", sysroot.display())))?;
        let build = Box::new(move |command| {
            let mut command = confined(command, &of_build, &path);
            command.arg("--frozen");
            command.env("CARGO_HOME", &cargo_home).env("CARGO_INCREMENTAL", "0");
            command
        });
        let run = Arc::new(move |command: Command| {
            let mut rules = of_run.clone();
            // The copies of the tests and the programs.
            rules.read.extend(Path::new(command.get_program()).parent().map(Path::to_path_buf));
            confined(command, &rules, "/usr/bin:/bin".as_ref())
        });
        let list = Arc::clone(&run);
        let own_user = if user.is_some() { ", own user" } else { "" };
        Ok(Self {
            build,
            run,
            list: Box::new(move |command| list(command)),
            protection: format!("{level}{own_user}"),
            landlock: (level > Level::None).then(landlocked::version).flatten(),
        })
    }

    /// Tries whether the toolchain runs in the slot; `Err` is the reason why it does not.
    fn probe(&self, tree: &Path, stop: &Stop) -> Result<Result<(), String>, Error> {
        let mut command = cargo();
        command.arg("--version").current_dir(tree);
        let sandbox = Sandbox { list: &self.build, ..self.sandbox() };
        Ok(sandbox.output(command, stop)?.map(|_| ()))
    }

    /// What keeps submitted code from the rest of the machine.
    pub(crate) fn protection(&self) -> &str {
        &self.protection
    }

    /// The version of Landlock that is enforced.
    pub(crate) fn landlock(&self) -> Option<u32> {
        self.landlock
    }

    /// Confines builds.
    pub(crate) fn sandbox(&self) -> Sandbox<'_> {
        let limits = Limits {
            wall: BUILD_WALL,
            cpu: Some(BUILD),
            output: BUILD_OUTPUT,
            resources: OF_BUILD,
        };
        Sandbox { limits, build: &self.build, list: &self.list }
    }

    /// Confines runs.
    pub(crate) fn wrap(&self) -> Wrap {
        let run = Arc::clone(&self.run);
        Box::new(move |command| run(command))
    }
}

/// Adds rules to a command, and removes from its environment what is not listed.
fn confined(mut command: Command, rules: &Rules, path: &std::ffi::OsStr) -> Command {
    let given: BTreeSet<OsString> = command
        .get_envs()
        .filter(|(_, value)| value.is_some())
        .map(|(name, _)| name.into())
        .collect();
    for (name, _) in env::vars_os() {
        let is_inherited = INHERITED.iter().any(|inherited| name == *inherited);
        if !is_inherited && !given.contains(&name) {
            command.env_remove(name);
        }
    }
    command.env("PATH", path);
    rules.give_to(&mut command);
    command
}

/// Cargo's home directory.
fn cargo_home() -> Result<PathBuf, Error> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
    home.ok_or_else(|| Error::harness("set CARGO_HOME: your home directory is not known"))
}

/// Fails if cargo would read a configuration that is not the handout's.
fn without_configuration(tree: &Path) -> Result<(), Error> {
    for directory in tree.ancestors().skip(1).map(|directory| directory.join(".cargo")) {
        for name in ["config", "config.toml"] {
            let found = directory.join(name);
            let is_home = cargo_home().is_ok_and(|home| home == directory);
            if found.exists() && !is_home {
                return Err(Error::harness(format!(
                    "cargo would read {} for submissions: choose another directory with --slots",
                    found.display()
                )));
            }
        }
    }
    Ok(())
}

/// Removes a directory, however submitted code has left it: directories may be nested more deeply
/// than the standard library can remove, and forbid to list them.
pub(crate) fn remove_all(path: &Path) {
    if fs::remove_dir_all(path).is_ok() || !path.exists() {
        return;
    }
    for (program, arguments) in [("chmod", &["-R", "u+rwX"][..]), ("rm", &["-rf"][..])] {
        // What is left is removed with the slot's other temporary files by the next grader.
        Command::new(program).args(arguments).arg("--").arg(path).status().ok();
    }
}
