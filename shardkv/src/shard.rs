//! The life of a shard, as one group sees it.

use std::collections::BTreeMap;

use kvraft::rsm::{ClientId, Request, StateMachine};
use kvraft::{KvStore, Op};
use serde::{Deserialize, Serialize};
use shardctrler::{Gid, NO_GROUP, SHARDS};

/// The shard of a key: its first byte modulo [`SHARDS`]; of the empty key, shard 0.
pub fn key_to_shard(key: &str) -> usize {
    key.bytes().next().map_or(0, |byte| usize::from(byte) % SHARDS)
}

/// What a group has of a shard. The [crate's documentation](crate) has a picture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shard {
    /// Nothing: the shard is another group's, or nobody's.
    #[default]
    Absent,
    /// The shard is this group's, but its contents are still with the group that had it before.
    Awaited,
    /// The shard is this group's, and clients are served.
    Serving(Contents),
    /// The shard is not this group's any more, but the contents are, until the next owner has them.
    Leaving(Contents),
}

impl Shard {
    /// A new configuration gives the shard to `owner`; `last_owner` had it last, if anybody had.
    ///
    /// # Panics
    /// If the shard is awaited: a group sees one configuration through before the next.
    pub(crate) fn reassign(&mut self, me: Gid, last_owner: Gid, owner: Gid) {
        let ours = owner == me;
        *self = match std::mem::take(self) {
            Shard::Serving(contents) | Shard::Leaving(contents) if ours => Shard::Serving(contents),
            Shard::Serving(contents) | Shard::Leaving(contents) => Shard::Leaving(contents),
            Shard::Absent if ours && last_owner == NO_GROUP => Shard::Serving(Contents::default()),
            Shard::Absent if ours => Shard::Awaited,
            Shard::Absent => Shard::Absent,
            Shard::Awaited => panic!("group {me} awaits a shard that is reassigned to {owner}"),
        };
    }

    /// The contents have come. Nothing changes unless they are awaited: they may come twice.
    pub(crate) fn install(&mut self, contents: Contents) {
        if matches!(self, Shard::Awaited) {
            *self = Shard::Serving(contents);
        }
    }

    /// The next owner has the contents. Nothing changes unless the shard is leaving.
    pub(crate) fn discard(&mut self) {
        if matches!(self, Shard::Leaving(_)) {
            *self = Shard::Absent;
        }
    }
}

/// What a shard consists of, wherever it is.
///
/// Invariant: a write is in the store exactly if it is in the table, so they must not be parted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents {
    store: KvStore,
    /// The duplicate table: the number of each client's last write to this shard. Reads need no
    /// entry, as to execute one again does no harm; and a write has no reply to be remembered.
    last_writes: BTreeMap<ClientId, u64>,
}

impl Contents {
    /// Executes a client's request; a write that was executed before is not executed again.
    pub(crate) fn execute(&mut self, request: Request<Op>) -> String {
        let Request { client, sequence, command } = request;
        if !matches!(command, Op::Get { .. }) {
            let last = self.last_writes.entry(client).or_default();
            if sequence <= *last {
                return String::new();
            }
            *last = sequence;
        }
        self.store.apply(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The group whose view is tested.
    const ME: Gid = 1;
    /// Another group.
    const OTHER: Gid = 2;

    /// Some contents.
    fn contents() -> Contents {
        let mut contents = Contents::default();
        contents.execute(append(1, "a"));
        contents
    }

    /// A client's request with this number.
    fn append(sequence: u64, value: &str) -> Request<Op> {
        let command = Op::Append { key: "k".to_string(), value: value.to_string() };
        Request { client: 7, sequence, command }
    }

    #[test]
    fn keys_that_begin_alike_are_in_one_shard() {
        let shards = ["", "0", "1", "10", "2", "20", "9"].map(key_to_shard);
        assert_eq!(shards, [0, 8, 9, 9, 0, 0, 7]);
    }

    #[test]
    fn new_configuration_table() {
        use Shard::{Absent, Awaited, Leaving, Serving};
        let table = [
            // A shard that nobody ever had begins empty; one that another had must come from there.
            ("first owner", Absent, NO_GROUP, ME, Serving(Contents::default())),
            ("next owner", Absent, OTHER, ME, Awaited),
            ("bystander", Absent, OTHER, OTHER, Absent),
            ("keeps it", Serving(contents()), ME, ME, Serving(contents())),
            ("loses it", Serving(contents()), ME, OTHER, Leaving(contents())),
            // Nobody takes the contents, so they stay, until somebody does.
            ("last to leave", Serving(contents()), ME, NO_GROUP, Leaving(contents())),
            ("still nobody's", Leaving(contents()), ME, NO_GROUP, Leaving(contents())),
            ("has a taker", Leaving(contents()), ME, OTHER, Leaving(contents())),
            ("is back first", Leaving(contents()), ME, ME, Serving(contents())),
        ];
        for (name, mut shard, last_owner, owner, expected) in table {
            shard.reassign(ME, last_owner, owner);
            assert_eq!(shard, expected, "{name}");
        }
    }

    #[test]
    fn late_messages_change_nothing() {
        for untouched in [Shard::Absent, Shard::Serving(contents()), Shard::Leaving(contents())] {
            let mut shard = untouched.clone();
            shard.install(Contents::default());
            assert_eq!(shard, untouched);
        }
        for untouched in [Shard::Absent, Shard::Awaited, Shard::Serving(contents())] {
            let mut shard = untouched.clone();
            shard.discard();
            assert_eq!(shard, untouched);
        }
    }

    #[test]
    fn write_that_is_sent_again_takes_effect_once() {
        let mut contents = contents();
        contents.execute(append(1, "a"));
        contents.execute(append(2, "b"));
        contents.execute(append(1, "a"));
        let get = Op::Get { key: "k".to_string() };
        let read = |sequence| Request { client: 7, sequence, command: get.clone() };
        assert_eq!(contents.execute(read(3)), "ab");
        assert_eq!(contents.execute(read(3)), "ab", "a read may be executed again");
    }
}
