//! A worker of a MapReduce job.

use std::process::ExitCode;

fn main() -> ExitCode {
    mapreduce::command::worker_main(mapreduce::apps::find)
}
