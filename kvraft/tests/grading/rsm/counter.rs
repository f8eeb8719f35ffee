//! A replicated counter, and the vocabulary of the tests that use it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kvraft::rsm::{Request, Rsm, StateMachine, SubmitError};
use labrpc::{decode, encode, sleep};
use serde::{Deserialize, Serialize};
use testkit::{Boot, Cluster, Culprit, Sim, Started, poll, wait_until};

use crate::cluster::check_log_size;

/// How long [`CounterCluster::one`] tries before it gives up.
const ONE_BUDGET: Duration = Duration::from_secs(10);
/// How long it waits when no server that it can reach leads.
const ONE_PAUSE: Duration = Duration::from_millis(50);
/// How long a leader may take to reply: as long as agreement may take in lab 2.
const REPLY_BUDGET: Duration = Duration::from_secs(2);
/// How long [`CounterCluster::check_counters`] waits.
const CHECK_BUDGET: Duration = Duration::from_secs(25);
/// Long enough for all servers to apply what one of them has applied.
const SETTLED: Duration = Duration::from_millis(500);

/// What the counter can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// One more.
    Increment,
    /// No change.
    Nothing,
    /// One less. Tests ask for it only where it must not happen.
    Decrement,
}

/// The machine.
struct Counter {
    sim: Sim,
    value: u64,
}

impl StateMachine for Counter {
    type Command = Action;
    type Reply = u64;

    fn apply(&mut self, action: Action) -> u64 {
        match action {
            Action::Increment => self.value += 1,
            Action::Nothing => {}
            Action::Decrement => {
                let property = "nothing is executed without a majority";
                let actual = "a request to a leader that was cut off was executed";
                self.sim.violated(property, actual);
            }
        }
        self.value
    }

    fn snapshot(&self) -> Vec<u8> {
        encode(&self.value)
    }

    fn restore(&mut self, snapshot: &[u8]) {
        self.value = match decode(snapshot) {
            Ok(value) => value,
            Err(error) => {
                let property = "a machine is restored from what it has made";
                self.sim.violated(property, error.to_string())
            }
        };
    }
}

/// What a submission returned.
type SubmitResult = Result<u64, SubmitError>;

/// A request to one server that is under way, or over.
pub struct Submission(Arc<Mutex<Option<SubmitResult>>>);

impl Submission {
    /// What it returned.
    fn result(&self) -> Option<SubmitResult> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it has returned.
    pub fn is_over(&self) -> bool {
        self.result().is_some()
    }

    /// Whether it has returned a reply.
    pub fn succeeded(&self) -> bool {
        matches!(self.result(), Some(Ok(_)))
    }
}

/// Three servers with a counter, all connected in the beginning. Clones are the same cluster.
#[derive(Clone)]
pub struct CounterCluster {
    servers: Cluster<Rsm<Counter>>,
    /// How many clients there were: each request comes from another.
    clients: Arc<AtomicU64>,
    /// Who led when last heard of.
    leader: Arc<AtomicUsize>,
    /// To whom [`CounterCluster::one`] talks.
    reachable: Arc<Mutex<Vec<usize>>>,
}

impl CounterCluster {
    /// Starts the servers on a reliable network. They take snapshots when the Raft state comes near
    /// `max_raft_state` bytes.
    pub fn start(sim: &Sim, max_raft_state: Option<usize>) -> Self {
        let run = sim.clone();
        let start = move |boot: Boot| {
            let Boot { me, ends, storage, .. } = boot;
            let counter = Counter { sim: run.clone(), value: 0 };
            let rsm = Rsm::new(ends, me, storage.persister, max_raft_state, counter);
            Started { services: vec![rsm.service()], handle: rsm }
        };
        let servers = Cluster::new(sim, "S", 3, start, Rsm::kill);
        servers.start_all();
        Self {
            servers,
            clients: Arc::default(),
            leader: Arc::default(),
            reachable: Arc::new(Mutex::new(vec![0, 1, 2])),
        }
    }

    /// The run that the cluster is part of.
    pub fn sim(&self) -> &Sim {
        self.servers.sim()
    }

    /// A request of a client that has made none before.
    pub fn request(&self, command: Action) -> Request<Action> {
        Request { client: self.clients.fetch_add(1, Relaxed), sequence: 1, command }
    }

    /// Begins a request to one server.
    pub fn submit(&self, server: usize, action: Action) -> Submission {
        self.submit_again(server, &self.request(action))
    }

    /// Begins a request to one server, which may have been made before.
    pub fn submit_again(&self, server: usize, request: &Request<Action>) -> Submission {
        let result = Arc::new(Mutex::new(None));
        let (slot, request) = (Arc::clone(&result), request.clone());
        self.servers.spawn(server, move |rsm| {
            let returned = rsm.submit(request);
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(returned);
        });
        Submission(result)
    }

    /// Makes a request to the leader that was made before, and again if the leader was deposed
    /// meanwhile: it may have refused the request. For about ten seconds.
    pub fn repeat_on_leader(&self, request: &Request<Action>) {
        _ = wait_until(ONE_BUDGET, ONE_PAUSE, || {
            let leader = self.leader();
            let state = || self.servers.call(leader, |rsm| rsm.raft().state());
            let before = state().filter(|state| state.is_leader);
            let submission = self.submit_again(leader, request);
            // It may not return: its client does not wait for it any more.
            _ = wait_until(SETTLED, ONE_PAUSE, || submission.is_over());
            before.is_some() && state() == before
        });
    }

    /// Makes a request to the leader, once, which must reply soon unless it is deposed meanwhile.
    #[track_caller]
    pub fn check_leader_replies(&self) {
        let leader = self.leader();
        let state = || self.servers.call(leader, |rsm| rsm.raft().state());
        let Some(before) = state().filter(|state| state.is_leader) else { return };
        let submission = self.submit(leader, Action::Nothing);
        _ = wait_until(REPLY_BUDGET, ONE_PAUSE, || submission.is_over());
        if !submission.succeeded() && state() == Some(before) {
            let actual = match submission.result() {
                None => format!("no reply within {REPLY_BUDGET:?} to a request that was made once"),
                Some(result) => format!("a request that was made once returned {result:?}"),
            };
            let culprit = Culprit { term: Some(before.term), ..self.culprit(leader) };
            self.sim().violated_by(culprit, "a leader that stays replies to a request", actual);
        }
    }

    /// Has a request executed by whichever server leads among those that can be reached, in ten
    /// seconds; returns the reply.
    pub fn one(&self, action: Action) -> Option<u64> {
        self.one_of(&self.request(action))
    }

    /// As [`CounterCluster::one`], with a request that may have been made before.
    pub fn one_of(&self, request: &Request<Action>) -> Option<u64> {
        poll(ONE_BUDGET, ONE_PAUSE, || {
            let (first, reachable) = (self.leader.load(Relaxed), self.reachable());
            let mut servers = (0..3).map(|i| (first + i) % 3).filter(|s| reachable.contains(s));
            servers.find_map(|server| {
                let request = request.clone();
                let reply = self.servers.call(server, move |rsm| rsm.submit(request))?.ok()?;
                self.leader.store(server, Relaxed);
                Some(reply)
            })
        })
    }

    /// To whom requests may go.
    fn reachable(&self) -> Vec<usize> {
        self.reachable.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests go only to these servers from now on.
    fn talk_to(&self, servers: Vec<usize>) {
        *self.reachable.lock().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    /// Increments the counter, which must have this value then.
    #[track_caller]
    pub fn increment(&self, expected: u64) {
        let reply = self.one(Action::Increment);
        if reply != Some(expected) {
            let (property, reason) = match reply {
                None => ("a request is executed within 10 s", "no server replied".to_string()),
                Some(reply) if reply < expected => {
                    let lost = expected - reply;
                    ("nothing that was executed is lost", format!("increments lost: {lost}"))
                }
                Some(reply) => {
                    let more = reply - expected;
                    ("each request is executed once", format!("executed twice: {more}"))
                }
            };
            self.sim()
                .violated(property, format!("expected {expected} instead of {reply:?}, {reason}"));
        }
    }

    /// At least this many servers have this value, soon.
    #[track_caller]
    pub fn check_counters(&self, expected: u64, servers: usize) {
        if let Err(values) = self.wait_for_counters(expected, servers) {
            self.counters_differ(expected, servers, &values);
        }
    }

    /// Fails because the counters have other values.
    #[track_caller]
    fn counters_differ(&self, expected: u64, servers: usize, values: &[Option<u64>]) -> ! {
        let actual = format!("expected {servers} servers with counter {expected}, got {values:?}");
        self.sim().violated("all servers come to the same state", actual)
    }

    /// At least this many servers have this value, soon, although a request was repeated. `cause`
    /// says how a server may come to execute it again.
    #[track_caller]
    pub fn check_repeated(&self, expected: u64, servers: usize, cause: &str) {
        sleep(SETTLED); // A second execution may follow the first.
        if let Err(values) = self.wait_for_counters(expected, servers) {
            if !values.iter().flatten().any(|value| *value > expected) {
                self.counters_differ(expected, servers, &values);
            }
            let actual = format!(
                "expected {servers} servers with counter {expected}, got {values:?} after the first \
                 request was repeated: {cause}"
            );
            let again = values.iter().position(|value| value.is_some_and(|it| it > expected));
            let server = again.map(|server| self.servers.name(server).to_string());
            let culprit = Culprit { server, ..Culprit::default() };
            self.sim().violated_by(culprit, "each request is executed once", actual);
        }
    }

    /// Waits until at least this many servers have this value; otherwise returns the values that
    /// they have.
    fn wait_for_counters(&self, expected: u64, servers: usize) -> Result<(), Vec<Option<u64>>> {
        let mut values = Vec::new();
        let have_executed = || {
            let value = |server| self.servers.call(server, |rsm| rsm.peek(|counter| counter.value));
            values = (0..3).map(value).collect();
            values.iter().filter(|value| **value == Some(expected)).count() >= servers
        };
        let is_so = wait_until(CHECK_BUDGET, Duration::from_millis(10), have_executed);
        if is_so { Ok(()) } else { Err(values) }
    }

    /// All these requests end within some time, as `property` says.
    #[track_caller]
    pub fn check_end(&self, submissions: &[Submission], patience: Duration, property: &str) {
        let are_over = || submissions.iter().all(Submission::is_over);
        if !wait_until(patience, Duration::from_millis(10), are_over) {
            let open = submissions.iter().filter(|submission| !submission.is_over()).count();
            let actual = format!("{open} submissions have not returned after {patience:?}");
            self.sim().violated(property, actual);
        }
    }

    /// A server, as the culprit of a violation.
    pub fn culprit(&self, server: usize) -> Culprit {
        self.servers.culprit(server)
    }

    /// See [`check_log_size`].
    #[track_caller]
    pub fn check_log_size(&self, limit: usize) {
        check_log_size(&self.servers, limit);
    }

    /// Waits until a server leads, and returns its number.
    pub fn leader(&self) -> usize {
        self.servers.leader(|rsm| rsm.raft().state().is_leader)
    }

    /// Cuts a server off from the others, and from requests.
    pub fn disconnect(&self, server: usize) {
        self.talk_to((0..3).filter(|&other| other != server).collect());
        self.servers.disconnect(server);
    }

    /// Connects a server with the others again.
    pub fn connect(&self, server: usize) {
        self.talk_to(vec![0, 1, 2]);
        self.servers.connect(server);
    }

    /// Splits the servers in two; requests go to the first group only.
    pub fn partition(&self, reachable: &[usize], others: &[usize]) {
        self.servers.partition(&[reachable, others]);
        self.talk_to(reachable.to_vec());
    }

    /// Cuts the one-way link on which `from` calls `to`.
    pub fn cut(&self, from: usize, to: usize) {
        self.servers.cut(from, to);
    }

    /// Waits until a server leads; false if it does not within ten seconds.
    #[must_use]
    pub fn wait_until_leads(&self, server: usize) -> bool {
        let leads = || self.servers.call(server, |rsm| rsm.raft().state().is_leader) == Some(true);
        wait_until(ONE_BUDGET, ONE_PAUSE, leads)
    }

    /// Mends all links.
    pub fn heal(&self) {
        self.talk_to(vec![0, 1, 2]);
        self.servers.heal();
    }

    /// Asks a server to stop.
    pub fn shut_down(&self, server: usize) {
        self.servers.shutdown(server);
    }

    /// Asks all servers to stop.
    pub fn shut_all_down(&self) {
        (0..3).for_each(|server| self.servers.shutdown(server));
    }

    /// Crashes every server or shuts it down, as the seed wants.
    pub fn bring_all_down(&self) {
        (0..3).for_each(|server| self.servers.bring_down(server));
    }

    /// Starts the servers that are down.
    pub fn start_all(&self) {
        self.servers.start_all();
    }
}
