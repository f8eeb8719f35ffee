//! A configuration, and the one that follows from it when groups come and go.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rebalance::rebalance;

/// How many shards the keys are divided into. It never changes.
pub const SHARDS: usize = 10;

/// Identifies a group of servers. A group that has left may come back under the same number.
pub type Gid = u64;

/// The owner of every shard while there are no groups.
pub const NO_GROUP: Gid = 0;

/// Which group serves which shard. Used by the grading tests.
///
/// Invariants:
/// * if there are groups, each shard is with one of them; if there are none, with [`NO_GROUP`];
/// * [`NO_GROUP`] is not among the groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Counts the configurations from 0, which is [`Config::default`].
    pub num: u64,
    /// The group of each shard.
    pub shards: [Gid; SHARDS],
    /// The servers of each group, by name.
    pub groups: BTreeMap<Gid, Vec<String>>,
}

impl Config {
    /// What follows when groups join. Those that are in already stay as they are; `None` if there
    /// are no others.
    pub(crate) fn join(&self, joining: BTreeMap<Gid, Vec<String>>) -> Option<Config> {
        let mut groups = self.groups.clone();
        for (gid, servers) in joining {
            if gid != NO_GROUP {
                groups.entry(gid).or_insert(servers);
            }
        }
        self.with_groups(groups)
    }

    /// What follows when groups leave. `None` if none of them is in.
    pub(crate) fn leave(&self, leaving: &[Gid]) -> Option<Config> {
        let mut groups = self.groups.clone();
        groups.retain(|gid, _| !leaving.contains(gid));
        self.with_groups(groups)
    }

    /// What follows when a shard is moved by hand. `None` if there is no such shard or group.
    pub(crate) fn move_shard(&self, shard: usize, gid: Gid) -> Option<Config> {
        if !self.groups.contains_key(&gid) {
            return None;
        }
        let mut shards = self.shards;
        *shards.get_mut(shard)? = gid;
        Some(Config { num: self.num + 1, shards, groups: self.groups.clone() })
    }

    /// What follows when there are these groups from now on. `None` if there were just these
    /// before: groups that have joined never change, so it is enough to count them.
    fn with_groups(&self, groups: BTreeMap<Gid, Vec<String>>) -> Option<Config> {
        if groups.len() == self.groups.len() {
            return None;
        }
        let mut shards = self.shards;
        let members: Vec<Gid> = groups.keys().copied().collect();
        rebalance(&mut shards, &members);
        Some(Config { num: self.num + 1, shards, groups })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Groups with these numbers, of one server each.
    fn groups(gids: &[Gid]) -> BTreeMap<Gid, Vec<String>> {
        gids.iter().map(|&gid| (gid, vec![format!("s{gid}")])).collect()
    }

    #[test]
    fn groups_come_and_go() {
        let none = Config::default();
        let one = none.join(groups(&[7])).unwrap();
        assert_eq!((one.num, one.shards), (1, [7; SHARDS]));
        let three = one.join(groups(&[1, 9])).unwrap();
        assert_eq!((three.num, three.shards), (2, [7, 7, 7, 7, 1, 1, 1, 9, 9, 9]));
        let left = three.leave(&[7, 9]).unwrap();
        assert_eq!((left.num, left.shards, &left.groups), (3, [1; SHARDS], &groups(&[1])));
        let empty = left.leave(&[1]).unwrap();
        assert_eq!((empty.shards, empty.groups.len()), ([NO_GROUP; SHARDS], 0));
    }

    #[test]
    fn move_changes_one_shard_and_balances_nothing() {
        let config = Config::default().join(groups(&[1, 2])).unwrap();
        let moved = config.move_shard(9, 1).unwrap();
        assert_eq!(moved.shards, [1, 1, 1, 1, 1, 2, 2, 2, 2, 1]);
        assert_eq!((moved.num, &moved.groups), (config.num + 1, &config.groups));
        let again = moved.move_shard(9, 1).unwrap();
        assert_eq!(
            (again.num, again.shards),
            (moved.num + 1, moved.shards),
            "where it was already"
        );
    }

    #[test]
    fn what_makes_no_sense_changes_nothing() {
        let config = Config::default().join(groups(&[1, 2])).unwrap();
        let other_servers = BTreeMap::from([(1, vec!["elsewhere".to_string()])]);
        assert_eq!(config.join(other_servers), None, "is in already");
        assert_eq!(config.join(groups(&[NO_GROUP])), None, "is not a group");
        assert_eq!(config.join(groups(&[])), None, "no group joins");
        assert_eq!(config.leave(&[3, NO_GROUP]), None, "are not in");
        assert_eq!(config.move_shard(SHARDS, 1), None, "no such shard");
        assert_eq!(config.move_shard(0, 3), None, "no such group");
        assert_eq!(config.move_shard(0, NO_GROUP), None, "a shard is always with a group");
    }

    #[test]
    fn what_makes_sense_of_a_request_is_done() {
        let config = Config::default().join(groups(&[1])).unwrap();
        let joined = config.join(groups(&[NO_GROUP, 1, 2])).unwrap();
        assert_eq!((joined.num, joined.groups), (2, groups(&[1, 2])));
    }
}
