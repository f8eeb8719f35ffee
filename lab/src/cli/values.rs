//! The values of options.

use std::env;
use std::ops::Range;
use std::path::PathBuf;

use contract::accidents::Accidents;
use contract::settings::{ONLY, Policy};
use judge::Error;

/// The accidents that may happen: those on the command line, or else in the environment.
pub(crate) fn accidents(only: &Option<Accidents>) -> Result<Option<Accidents>, Error> {
    let set = env::var(ONLY).ok().filter(|text| !text.is_empty() && only.is_none());
    let Some(text) = set else { return Ok(only.clone()) };
    let accidents = Accidents::from_setting(&text);
    accidents.map(Some).map_err(|problem| Error::harness(format!("{ONLY}: {problem}")))
}

/// A seed and a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SeedAndPolicy {
    pub(crate) seed: u64,
    pub(crate) policy: Policy,
}

/// Parses the name of an archive.
pub(crate) fn parse_archive(text: &str) -> Result<PathBuf, String> {
    let is_archive = text.ends_with(".tar.gz") || text.ends_with(".tgz");
    is_archive
        .then(|| PathBuf::from(text))
        .ok_or_else(|| "the name must end with .tar.gz or .tgz".into())
}

/// Parses `7741` or `7741:stall`.
pub(crate) fn parse_run(text: &str) -> Result<SeedAndPolicy, String> {
    let (seed, policy) = text.split_once(':').unwrap_or((text, Policy::default().name()));
    let seed = seed.parse().map_err(|_| {
        format!("'{seed}' is not a seed: expected a number below 2^64, such as 7741 or 7741:stall")
    })?;
    Ok(SeedAndPolicy { seed, policy: policy.parse()? })
}

/// Parses `1..101`, which excludes its end, or `1..=100`.
pub(crate) fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let seeds = || {
        let (start, end) = text.split_once("..")?;
        let start = start.parse().ok()?;
        let end = match end.strip_prefix('=') {
            Some(last) => last.parse::<u64>().ok()?.checked_add(1)?,
            None => end.parse().ok()?,
        };
        Some(start..end)
    };
    match seeds() {
        Some(seeds) if seeds.is_empty() => Err("the range is empty".to_string()),
        Some(seeds) => Ok(seeds),
        None => Err("expected a range such as 1..101, or 1..=100".to_string()),
    }
}

/// Parses a topic in either case.
pub(crate) fn parse_topic(text: &str) -> Result<String, String> {
    let topic = text.to_ascii_uppercase();
    let is_topic = topic.len() == 4 && topic.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_topic
        .then_some(topic)
        .ok_or_else(|| "a topic has four letters or digits, such as VOTE or LOG1".into())
}

/// Parses `3.12s`, `3.12` or `031200`, to units of 0.1 ms.
pub(crate) fn parse_time(text: &str) -> Result<u64, String> {
    let number = text.strip_suffix('s').map(str::trim_end);
    let seconds = number.or_else(|| text.contains('.').then_some(text));
    let time = match seconds {
        Some(seconds) => seconds.parse::<f64>().ok().map(|seconds| (seconds * 1e4).round()),
        None => text.parse::<u64>().ok().map(|time| time as f64),
    };
    let is_valid = |time: &f64| time.is_finite() && *time >= 0.0;
    time.filter(is_valid)
        .map(|time| time as u64)
        .ok_or_else(|| "expected seconds such as 3.12s, or a time in the log such as 031200".into())
}

#[cfg(test)]
mod tests {
    use judge::Shard;

    use super::*;

    #[test]
    fn values() {
        assert_eq!(parse_seeds("1..101"), Ok(1..101));
        assert_eq!(parse_seeds("1..=100"), Ok(1..101));
        assert!(parse_seeds("5..5").is_err() && parse_seeds("7").is_err());
        assert_eq!(Shard::parse("2/4"), Ok(Shard { k: 2, n: 4 }));
        assert!(Shard::parse("0/4").is_err() && Shard::parse("5/4").is_err());
        assert_eq!(parse_run("7"), Ok(SeedAndPolicy { seed: 7, policy: Policy::Stall }));
        assert!(parse_run("7:lifo").is_err() && parse_run("x:pct").is_err());
        assert_eq!((parse_time("3.12s"), parse_time("3.12")), (Ok(31_200), Ok(31_200)));
        assert_eq!(parse_time("031200"), Ok(31_200));
        assert_eq!(parse_topic("vote"), Ok("VOTE".into()));
        assert!(parse_topic("votes").is_err() && parse_time("-1s").is_err());
    }
}
