//! The machine itself, its duplicate table, and the requests that wait.

use std::collections::BTreeMap;

use labrpc::{Sender, decode, encode};
use raft::{Index, LogPos, Term};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

/// Identifies a client, for the duplicate table.
pub type ClientId = u64;

/// What is replicated: a state that commands change, one after the other.
///
/// All servers apply the same commands in the same order, so `apply` must depend on nothing but the
/// state and the command: not on time, chance, or the order of a hash map.
pub trait StateMachine: Send + 'static {
    /// What clients ask for.
    type Command: Serialize + DeserializeOwned + Send + 'static;
    /// What they are told.
    type Reply: Serialize + DeserializeOwned + Clone + Send + 'static;

    /// Executes a command.
    fn apply(&mut self, command: Self::Command) -> Self::Reply;

    /// The whole state as bytes.
    fn snapshot(&self) -> Vec<u8>;

    /// Replaces the state by one that [`StateMachine::snapshot`] has made.
    fn restore(&mut self, snapshot: &[u8]);
}

/// A command, and which of a client's requests it is.
///
/// A client makes one request at a time and numbers its requests in order. It repeats a request,
/// unchanged, until it has the reply or gives the request up. A request that was given up may or
/// may not take effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request<C> {
    /// The client.
    pub client: ClientId,
    /// Counts the client's requests from 1.
    pub sequence: u64,
    /// What it asks for.
    pub command: C,
}

/// What Raft replicates as a command: to Raft it is only bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Proposal<C> {
    /// A client's request, which takes effect once however often it is agreed on.
    Request(Request<C>),
    /// A command that takes effect each time.
    Command(C),
}

/// The reply to a client's last request that was executed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct LastReply<R> {
    /// The number of the request.
    sequence: u64,
    /// What the client was told, and will be told again.
    reply: R,
}

/// How waiting for a command ends.
#[derive(Debug)]
pub(super) enum Outcome<R> {
    /// It was applied.
    Applied(R),
    /// This server cannot tell the reply: another command is in its place, a snapshot covers it, or
    /// its client has made a later request.
    Unknown,
}

/// A request that waits for its command to be applied.
struct Waiting<R> {
    /// The term in which the command was handed to Raft: together with the index, this tells it
    /// from any other command.
    term: Term,
    outcome: Sender<Outcome<R>>,
}

/// One server's copy of the replicated state, and the requests that wait for it to change.
///
/// Invariant: of two copies that have applied the same commands, the machines and the duplicate
/// tables are equal.
pub(super) struct Replica<M: StateMachine> {
    machine: M,
    /// The duplicate table.
    duplicates: BTreeMap<ClientId, LastReply<M::Reply>>,
    waiting: BTreeMap<Index, Waiting<M::Reply>>,
    closed: bool,
}

impl<M: StateMachine> Replica<M> {
    /// A copy to which nothing was applied.
    pub(super) fn new(machine: M) -> Self {
        Self { machine, duplicates: BTreeMap::new(), waiting: BTreeMap::new(), closed: false }
    }

    /// The machine.
    pub(super) fn machine(&self) -> &M {
        &self.machine
    }

    /// The reply to a request that was executed before.
    pub(super) fn earlier_reply(&self, proposal: &Proposal<M::Command>) -> Option<M::Reply> {
        let Proposal::Request(request) = proposal else { return None };
        let last = self.duplicates.get(&request.client)?;
        (last.sequence == request.sequence).then(|| last.reply.clone())
    }

    /// Waits for the command at `place`.
    pub(super) fn await_outcome(&mut self, place: LogPos, outcome: Sender<Outcome<M::Reply>>) {
        let waiting = Waiting { term: place.term, outcome };
        if let Some(older) = self.waiting.insert(place.index, waiting) {
            // Its command is of an older term, and gone from this log. Another server may still
            // commit it.
            older.outcome.send(Outcome::Unknown).ok(); // It may have given up.
        }
    }

    /// Executes the proposal at a place of the log, unless it is a request that was executed
    /// before, and tells the handler that waits for that place.
    pub(super) fn apply(&mut self, index: Index, term: Term, proposal: Proposal<M::Command>) {
        let reply = match proposal {
            Proposal::Request(request) => self.execute(request),
            Proposal::Command(command) => Some(self.machine.apply(command)),
        };
        if let Some(waiting) = self.waiting.remove(&index) {
            let outcome = match reply {
                Some(reply) if waiting.term == term => Outcome::Applied(reply),
                _ => Outcome::Unknown,
            };
            waiting.outcome.send(outcome).ok(); // It may have given up.
        }
    }

    /// Executes a request once; `None` if its client has made a later request since.
    fn execute(&mut self, request: Request<M::Command>) -> Option<M::Reply> {
        let Request { client, sequence, command } = request;
        match self.duplicates.get(&client) {
            Some(last) if last.sequence == sequence => return Some(last.reply.clone()),
            Some(last) if last.sequence > sequence => return None,
            _ => {}
        }
        let reply = self.machine.apply(command);
        self.duplicates.insert(client, LastReply { sequence, reply: reply.clone() });
        Some(reply)
    }

    /// The whole state as bytes: the duplicate table belongs to it.
    pub(super) fn snapshot(&self) -> Vec<u8> {
        encode(&(&self.duplicates, Bytes::new(&self.machine.snapshot())))
    }

    /// Replaces the state by one that [`Replica::snapshot`] has made.
    pub(super) fn restore(&mut self, snapshot: &[u8]) {
        let (duplicates, machine): (_, ByteBuf) =
            decode(snapshot).expect("a snapshot is what some server's replica has made");
        self.duplicates = duplicates;
        self.machine.restore(&machine);
    }

    /// What was applied up to `index` came in a snapshot: a request that waits for it cannot be
    /// told the reply.
    pub(super) fn forget_up_to(&mut self, index: Index) {
        let later = self.waiting.split_off(&(index + 1));
        for waiting in std::mem::replace(&mut self.waiting, later).into_values() {
            waiting.outcome.send(Outcome::Unknown).ok(); // It may have given up.
        }
    }

    /// Nothing will be applied any more: each request that waits finds the channel closed.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.waiting.clear();
    }

    /// Whether nothing will be applied any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use labrpc::channel;

    use super::*;

    /// Remembers all that it was told, and replies with how much that was.
    #[derive(Default)]
    struct Journal(Vec<u8>);

    impl StateMachine for Journal {
        type Command = u8;
        type Reply = usize;

        fn apply(&mut self, command: u8) -> usize {
            self.0.push(command);
            self.0.len()
        }

        fn snapshot(&self) -> Vec<u8> {
            self.0.clone()
        }

        fn restore(&mut self, snapshot: &[u8]) {
            self.0 = snapshot.to_vec();
        }
    }

    /// A request of a client.
    fn request(client: ClientId, sequence: u64, command: u8) -> Request<u8> {
        Request { client, sequence, command }
    }

    #[test]
    fn request_takes_effect_once_and_is_answered_each_time() {
        let mut replica = Replica::new(Journal::default());
        assert_eq!(replica.execute(request(1, 1, 7)), Some(1));
        assert_eq!(replica.execute(request(2, 1, 8)), Some(2));
        assert_eq!(replica.execute(request(1, 1, 7)), Some(1), "sent again");
        assert_eq!(replica.execute(request(1, 2, 9)), Some(3));
        assert_eq!(replica.execute(request(1, 1, 7)), None, "overtaken by a later one");
        assert_eq!(replica.machine.0, [7, 8, 9]);
    }

    #[test]
    fn command_takes_effect_each_time() {
        let mut replica = Replica::new(Journal::default());
        replica.apply(1, 1, Proposal::Command(7));
        replica.apply(2, 1, Proposal::Command(7));
        assert_eq!(replica.machine.0, [7, 7]);
    }

    #[test]
    fn duplicate_table_survives_in_the_snapshot() {
        let mut replica = Replica::new(Journal::default());
        replica.execute(request(1, 1, 7));
        let mut restored = Replica::new(Journal::default());
        restored.restore(&replica.snapshot());
        assert_eq!(restored.execute(request(1, 1, 7)), Some(1));
        assert_eq!(restored.machine.0, [7]);
    }

    #[test]
    fn who_waits_learns_the_reply_only_for_the_same_term() {
        let mut replica = Replica::new(Journal::default());
        let (sender, same) = channel();
        replica.await_outcome(LogPos { index: 1, term: 3 }, sender);
        let (sender, other) = channel();
        replica.await_outcome(LogPos { index: 2, term: 3 }, sender);
        replica.apply(1, 3, Proposal::Request(request(1, 1, 7)));
        replica.apply(2, 4, Proposal::Request(request(2, 1, 8)));
        assert!(matches!(same.try_recv(), Ok(Outcome::Applied(1))));
        assert!(matches!(other.try_recv(), Ok(Outcome::Unknown)));
        let (sender, older) = channel();
        replica.await_outcome(LogPos { index: 3, term: 4 }, sender);
        let (sender, _newer) = channel();
        replica.await_outcome(LogPos { index: 3, term: 5 }, sender);
        assert!(matches!(older.try_recv(), Ok(Outcome::Unknown)));
    }

    #[test]
    fn snapshot_and_close_end_all_waits() {
        let mut replica = Replica::new(Journal::default());
        let (sender, covered) = channel();
        replica.await_outcome(LogPos { index: 1, term: 3 }, sender);
        let (sender, later) = channel();
        replica.await_outcome(LogPos { index: 2, term: 3 }, sender);
        replica.forget_up_to(1);
        assert!(matches!(covered.try_recv(), Ok(Outcome::Unknown)));
        assert!(matches!(later.try_recv(), Err(labrpc::TryRecvError::Empty)));
        replica.close();
        assert!(matches!(later.try_recv(), Err(labrpc::TryRecvError::Disconnected)));
    }
}
