//! What may lie between a configuration and the next: pure rules.

use std::collections::BTreeMap;

use shardctrler::{Config, Gid, NO_GROUP, SHARDS};
use testkit::Violation;

/// What was done between a configuration and the next, as far as that can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These groups have come.
    Join(Vec<Gid>),
    /// These groups have left.
    Leave(Vec<Gid>),
    /// This shard went to this group by hand.
    Move(usize, Gid),
    /// Nothing but the number: a move to where the shard was, for instance.
    Nothing,
}

/// `#4 [1 1 1 1 3 2 2 2 3 3], groups [1 2 3]`.
pub fn picture(config: &Config) -> String {
    let list = |gids: Vec<String>| gids.join(" ");
    let shards = list(config.shards.iter().map(Gid::to_string).collect());
    let groups = list(config.groups.keys().map(Gid::to_string).collect());
    format!("#{} [{shards}], groups [{groups}]", config.num)
}

/// Two configurations, one above the other.
fn pictures(before: &Config, after: &Config) -> String {
    format!("{}\n            then {}", picture(before), picture(after))
}

/// How many shards each group has.
fn loads(config: &Config) -> BTreeMap<Gid, usize> {
    let load = |gid| config.shards.iter().filter(|&&owner| owner == gid).count();
    config.groups.keys().map(|&gid| (gid, load(gid))).collect()
}

/// Each shard is with a group that exists, or with nobody if there is none.
fn check_owners(config: &Config) -> Result<(), Violation> {
    let owned = |owner: &Gid| match config.groups.is_empty() {
        true => *owner == NO_GROUP,
        false => config.groups.contains_key(owner),
    };
    if config.shards.iter().all(owned) && !config.groups.contains_key(&NO_GROUP) {
        return Ok(());
    }
    let property = "each shard is with a group that exists, or with nobody if there is none";
    Err(Violation::new(property, picture(config)))
}

/// Groups have equally many shards, give or take one; those with none count too.
fn check_even(config: &Config) -> Result<(), Violation> {
    let loads = loads(config);
    let (least, most) = (loads.values().min(), loads.values().max());
    if least.zip(most).is_none_or(|(least, most)| most <= &(least + 1)) {
        return Ok(());
    }
    let actual = format!("{}: {loads:?}", picture(config));
    Err(Violation::new("shards are balanced: groups have equally many, give or take one", actual))
}

/// A configuration in which groups have just joined or left is in order.
pub fn check_balanced(config: &Config) -> Result<(), Violation> {
    check_owners(config)?;
    check_even(config)
}

/// How many shards must move, at the very least, so that these groups have equally many.
///
/// Of what a group has, its even share can stay. Where shards are left over, one more can stay with
/// as many of the groups that have more than their share.
fn fewest_moves(before: &Config, groups: &BTreeMap<Gid, Vec<String>>) -> usize {
    if groups.is_empty() {
        return before.shards.iter().filter(|&&owner| owner != NO_GROUP).count();
    }
    let (share, left_over) = (SHARDS / groups.len(), SHARDS % groups.len());
    let loads = loads(&Config { groups: groups.clone(), ..before.clone() });
    let stay: usize = loads.values().map(|&load| load.min(share)).sum();
    let more = loads.values().filter(|&&load| load > share).count();
    SHARDS - stay - more.min(left_over)
}

/// The shards whose group differs, with their new group.
pub fn moved(before: &Config, after: &Config) -> Vec<(usize, Gid)> {
    let owners = before.shards.iter().zip(&after.shards).enumerate();
    owners.filter(|(_, (old, new))| old != new).map(|(shard, (_, new))| (shard, *new)).collect()
}

/// Checks that `after` may follow `before`, and tells what was done.
pub fn check_step(before: &Config, after: &Config) -> Result<Step, Violation> {
    check_owners(after)?;
    let came: Vec<Gid> = missing_in(before, after);
    let left: Vec<Gid> = missing_in(after, before);
    let stayed = |(gid, servers): (&Gid, &Vec<String>)| match after.groups.get(gid) {
        Some(now) => now == servers,
        None => true,
    };
    if !before.groups.iter().all(stayed) || !(came.is_empty() || left.is_empty()) {
        let actual = format!(
            "{}\n            {:?}\n            {:?}",
            pictures(before, after),
            before.groups,
            after.groups
        );
        return Err(Violation::new(
            "groups come, or leave, and the others keep their servers",
            actual,
        ));
    }
    if came.is_empty() && left.is_empty() {
        return match moved(before, after)[..] {
            [] => Ok(Step::Nothing),
            [(shard, gid)] => Ok(Step::Move(shard, gid)),
            _ => Err(Violation::new("a move moves one shard", pictures(before, after))),
        };
    }
    check_even(after)?;
    check_moves(before, after, fewest_moves(before, &after.groups))?;
    Ok(if left.is_empty() { Step::Join(came) } else { Step::Leave(left) })
}

/// The groups of `config` that are not in the other one.
fn missing_in(other: &Config, config: &Config) -> Vec<Gid> {
    config.groups.keys().filter(|gid| !other.groups.contains_key(gid)).copied().collect()
}

/// Just so many shards have moved.
pub fn check_moves(before: &Config, after: &Config, fewest: usize) -> Result<(), Violation> {
    let moves = moved(before, after).len();
    if moves == fewest {
        return Ok(());
    }
    let property = "as few shards move as an even assignment allows";
    let actual = format!("{moves} shards moved: {}", pictures(before, after));
    Err(Violation::new(property, actual).expected(format!("{fewest} moves")))
}

/// Of the groups that are in both configurations, none has got a shard: groups have only come.
pub fn check_nothing_gained(before: &Config, after: &Config) -> Result<(), Violation> {
    match moved(before, after).iter().all(|(_, gid)| !before.groups.contains_key(gid)) {
        true => Ok(()),
        false => Err(Violation::new(
            "when groups join, shards move only to them",
            pictures(before, after),
        )),
    }
}

/// Of the groups that are in both configurations, none has lost a shard: groups have only left.
pub fn check_nothing_lost(before: &Config, after: &Config) -> Result<(), Violation> {
    check_nothing_gained(after, before).map_err(|_| {
        Violation::new("when groups leave, only their shards move", pictures(before, after))
    })
}
