//! A worker with the apps that only tests use. It knows the others, too.

mod crash;
mod early_exit;
mod gate;
mod job_count;
mod owner;
mod panic;
mod parallel;

use std::process::ExitCode;

use mapreduce::{App, apps};

fn main() -> ExitCode {
    mapreduce::command::worker_main(find)
}

/// The app of this name.
fn find(name: &str, args: &mut Vec<String>) -> Result<Box<dyn App>, String> {
    Ok(match name {
        "mtiming" => Box::new(parallel::MapTiming),
        "rtiming" => Box::new(parallel::ReduceTiming),
        "jobcount" => Box::<job_count::JobCount>::default(),
        "early_exit" => Box::new(early_exit::EarlyExit),
        "gate" => Box::new(gate::Gate),
        // Its argument only tells workers apart.
        "gate_of" if !args.is_empty() => {
            args.remove(0);
            Box::new(gate::Gate)
        }
        "owner" => Box::new(owner::Owner),
        "crash" => Box::new(crash::Crash),
        "panic" => Box::new(panic::Panic::new(|| "is too frightening".to_string())),
        "panic_with_random_name" => Box::new(panic::Panic::new(panic::random_name)),
        "last_reduce_panics" => Box::<panic::LastReducePanics>::default(),
        "panic_with" if !args.is_empty() => {
            let message = args.remove(0);
            Box::new(panic::Panic::new(move || message.clone()))
        }
        _ => return apps::find(name, args),
    })
}

/// The values in order, with spaces between them.
fn join_sorted(values: mapreduce::Values<'_>) -> String {
    let mut values: Vec<String> = values.collect();
    values.sort();
    values.join(" ")
}
