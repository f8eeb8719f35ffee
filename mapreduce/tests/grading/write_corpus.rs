//! Writes generated books, for measurements.

mod corpus;

use std::path::PathBuf;

use clap::Parser;

/// Writes eight generated books, 3.3 MB in all, or a multiple of that.
#[derive(Parser)]
struct Args {
    /// Directory to write them to
    directory: PathBuf,
    /// Seed of the generator
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Factor of their length; 312 makes one gigabyte
    #[arg(long, default_value_t = 1)]
    scale: u32,
}

fn main() -> std::io::Result<()> {
    let Args { directory, seed, scale } = Args::parse();
    std::fs::create_dir_all(&directory)?;
    corpus::write_books(&directory, seed, scale)
}
