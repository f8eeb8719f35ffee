//! All configurations that there were: the pure state machine that is replicated.

use kvraft::rsm::StateMachine;
use labrpc::{decode, encode};

use crate::config::Config;
use crate::rpc::Op;

/// The configurations by number. There is at least number 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct History(Vec<Config>);

impl Default for History {
    fn default() -> Self {
        Self(vec![Config::default()])
    }
}

impl History {
    /// The configuration that is in force.
    fn latest(&self) -> &Config {
        self.0.last().expect("a history begins with configuration 0 and only grows")
    }

    /// The configuration with this number, or the latest.
    fn at(&self, num: Option<u64>) -> &Config {
        let past = num.and_then(|num| self.0.get(usize::try_from(num).ok()?));
        past.unwrap_or_else(|| self.latest())
    }
}

impl StateMachine for History {
    type Command = Op;
    /// The configuration that a `Query` asks for, the latest for the others.
    type Reply = Config;

    fn apply(&mut self, op: Op) -> Config {
        let latest = self.latest();
        let next = match op {
            Op::Query { num } => return self.at(num).clone(),
            Op::Join { groups } => latest.join(groups),
            Op::Leave { gids } => latest.leave(&gids),
            Op::Move { shard, gid } => latest.move_shard(shard, gid),
        };
        self.0.extend(next);
        self.latest().clone()
    }

    fn snapshot(&self) -> Vec<u8> {
        encode(&self.0)
    }

    fn restore(&mut self, snapshot: &[u8]) {
        self.0 = decode(snapshot).expect("a snapshot is what some history has made");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// A history of a join, a move, and two requests that make no sense.
    fn history() -> History {
        let mut history = History::default();
        let groups = BTreeMap::from([(1, vec!["a".to_string()]), (2, vec!["b".to_string()])]);
        history.apply(Op::Join { groups });
        history.apply(Op::Move { shard: 0, gid: 2 });
        history.apply(Op::Move { shard: 99, gid: 2 });
        history.apply(Op::Leave { gids: vec![5] });
        history
    }

    #[test]
    fn query_finds_each_number_and_the_latest() {
        let mut history = history();
        let mut found = |num| history.apply(Op::Query { num }).num;
        assert_eq!([found(Some(0)), found(Some(1)), found(Some(2))], [0, 1, 2]);
        assert_eq!([found(None), found(Some(3)), found(Some(u64::MAX))], [2, 2, 2]);
    }

    #[test]
    fn past_stays_as_it_was() {
        let mut history = history();
        let past = history.0.clone();
        history.apply(Op::Leave { gids: vec![1] });
        assert_eq!(history.0[..past.len()], past);
        assert_eq!(history.latest().num, 3);
    }

    #[test]
    fn snapshot_holds_everything() {
        let mut restored = History::default();
        restored.restore(&history().snapshot());
        assert_eq!(restored, history());
    }
}
