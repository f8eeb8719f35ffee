//! Which groups were seen to serve a shard, and whether that is allowed.

use contract::recording::Culprit;
use labrpc::Instant;

use crate::violation::Violation;

/// A group has served a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The group.
    pub group: u64,
    /// The request was sent after this.
    pub sent: Instant,
    /// And answered before this.
    pub answered: Instant,
}

/// Once a group has served a shard in a configuration, no other serves it unless a later
/// configuration gives it the shard.
///
/// `owners` are the groups to which the configurations give the shard, from number 0 on;
/// `sightings` come in the order of their answers. The configuration in which a group served is not
/// known, so each sighting counts for the earliest in which it is not a violation.
///
/// # Errors
/// If a group served that must not.
pub fn check_sightings(
    shard: usize,
    owners: &[u64],
    sightings: &[Sighting],
) -> Result<(), Violation> {
    let mut before: Vec<(Sighting, usize)> = Vec::new();
    for sighting in sightings {
        // Those that were answered before this was sent; of others the order is not known.
        let settled = before.iter().filter(|(other, _)| other.answered <= sighting.sent);
        let latest = settled.max_by_key(|(_, num)| *num);
        let floor = latest.map_or(0, |(_, num)| *num);
        match (floor..owners.len()).find(|&num| owners[num] == sighting.group) {
            Some(num) => before.push((*sighting, num)),
            None => return Err(violation(shard, sighting, latest)),
        }
    }
    Ok(())
}

/// A group served a shard after another had in some configuration.
fn violation(shard: usize, sighting: &Sighting, earlier: Option<&(Sighting, usize)>) -> Violation {
    let seconds = |instant: Instant| instant.as_nanos() as f64 / 1e9;
    let (group, sent, answered) =
        (sighting.group, seconds(sighting.sent), seconds(sighting.answered));
    let served =
        format!("group {group} served shard {shard} between {sent:.3} and {answered:.3} s");
    let actual = match earlier {
        None => format!("{served}, though no configuration gives it the shard"),
        Some((earlier, num)) => format!(
            "{served}, though group {} had served it by {:.3} s, in configuration {num} or later, and \
             none from there on gives it to group {group}",
            earlier.group,
            seconds(earlier.answered),
        ),
    };
    Violation::new("at most one group serves a shard", actual).culprit(Culprit {
        server: Some(format!("group {group}")),
        others: earlier.iter().map(|(earlier, _)| format!("group {}", earlier.group)).collect(),
        at: Some(sighting.answered.as_nanos() / 1_000),
        shard: Some(shard as u64),
        ..Culprit::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether sightings, `(group, sent, answered)`, are a violation. The shard goes from no group
    /// to group 1, to 2, back to 1 and to 2 again.
    fn is_violation(sightings: &[(u64, u64, u64)]) -> bool {
        let at = Instant::from_nanos;
        let sighting = |&(group, sent, answered): &(u64, u64, u64)| Sighting {
            group,
            sent: at(sent),
            answered: at(answered),
        };
        let sightings: Vec<Sighting> = sightings.iter().map(sighting).collect();
        check_sightings(0, &[0, 1, 2, 1, 2], &sightings).is_err()
    }

    #[test]
    fn groups_that_follow_the_configurations_are_accepted() {
        assert!(!is_violation(&[(1, 0, 1), (1, 2, 3), (2, 4, 5), (1, 6, 7), (2, 8, 9)]));
        assert!(!is_violation(&[(2, 0, 1), (1, 0, 2), (2, 1, 3)]), "in any order at the same time");
        assert!(!is_violation(&[(2, 0, 1)]), "earlier owners need not have been seen");
    }

    #[test]
    fn groups_that_serve_too_long_or_without_right_are_rejected() {
        assert!(is_violation(&[(1, 0, 1), (2, 2, 3), (1, 4, 5), (2, 6, 7), (1, 8, 9)]));
        assert!(is_violation(&[(3, 0, 1)]));
    }
}
