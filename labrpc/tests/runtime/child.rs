//! Tests that end their process, or leave something behind in it, run in a process of their own.

use std::env;
use std::process::Output;

use crate::itself;

/// Set in such a process.
const CHILD: &str = "LABRPC_TEST_CHILD";

/// Whether this process was started by [`again`].
pub fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// Runs the test `name` of this program again, in a process of its own in which [`is_child`] is
/// true and these variables are set.
pub fn again(name: &str, variables: &[(&str, &str)]) -> Output {
    itself::command()
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .env_remove("RUST_BACKTRACE")
        .envs(variables.iter().copied())
        .output()
        .expect("this program can be started again")
}

/// All that the process printed.
pub fn text(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).into_owned()
}
