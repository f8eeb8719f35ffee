use std::time::Duration;

use labrpc::{rng, sleep};
use mapreduce::{App, Emitter, Values};
use rand::RngExt;

use crate::join_sorted;

/// Dies in one call of three, and takes up to ten seconds in another one.
pub struct Crash;

impl App for Crash {
    fn map(&self, file: &str, contents: &str, out: &mut Emitter<'_>) {
        maybe_crash();
        out.emit("a", file);
        out.emit("b", &file.len().to_string());
        out.emit("c", &contents.len().to_string());
        out.emit("d", "xyzzy");
    }

    fn reduce(&self, _key: &str, values: Values<'_>) -> String {
        maybe_crash();
        join_sorted(values)
    }
}

fn maybe_crash() {
    match rng().random_range(0..1000_u32) {
        0..330 => std::process::exit(1),
        330..660 => sleep(Duration::from_millis(rng().random_range(0..10_000))),
        _ => {}
    }
}
