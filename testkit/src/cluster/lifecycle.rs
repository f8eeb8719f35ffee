//! Starting servers and taking them down.

use std::sync::Arc;

use labrpc::{Node, Server, mishap, sleep, spawn};
use rand::RngExt as _;

use super::{Boot, Cluster, Inner, OutsideEnds, Running, StableStorage, Started};
use crate::notes::SILENCE_AFTER;
use crate::poison::unpoisoned;

impl<S: Send + Sync + 'static> Cluster<S> {
    /// Starts a server that is down, with what it saved before, and leaves it disconnected.
    ///
    /// # Panics
    /// If the server is up.
    pub fn start(&self, server: usize) {
        assert!(!self.is_up(server), "{} is up already", self.name(server));
        self.sim().fault("start", [self.name(server)]);
        let boot = self.boot(server);
        let outside = boot.outside.clone();
        let node = Node::new(self.name(server));
        let inner = Arc::clone(&self.0);
        let started = node.call(move || {
            let Started { handle, services } = (inner.start)(boot);
            let server = services.into_iter().fold(Server::new(), Server::with);
            (Arc::new(handle), server)
        });
        let (handle, registered) = started.expect("servers are not crashed while they start");
        self.slots()[server].running = Some(Running { node, handle, outside });
        self.0.sim.network().add_server(self.name(server), registered);
        self.0.sim.update_server(self.line(server), |line| line.up = true);
    }

    /// Fresh ends for a server's next incarnation, and what was saved.
    fn boot(&self, server: usize) -> Boot {
        let name = self.name(server);
        let mut slots = self.slots();
        let slot = &mut slots[server];
        slot.incarnation += 1;
        let storage = slot.storage.clone();
        let incarnation = slot.incarnation;
        slot.ends =
            self.0.names.iter().map(|peer| format!("{name}.{incarnation}>{peer}")).collect();
        let ends = slot.ends.clone();
        drop(slots);
        let network = self.0.sim.network();
        let made = ends.iter().zip(&self.0.names).map(|(end, peer)| {
            let made = network.make_end_of(name, end);
            network.connect(end, peer);
            made
        });
        Boot {
            me: server,
            name: name.to_string(),
            incarnation,
            ends: made.collect(),
            storage,
            line: self.line(server),
            reach: self.0.links.reach(server),
            outside: OutsideEnds::new(&self.0.sim, name, incarnation),
        }
    }

    /// Starts every server that is down and connects all of them with each other.
    pub fn start_all(&self) {
        (0..self.len()).filter(|&i| !self.is_up(i)).for_each(|i| self.start(i));
        (0..self.len()).for_each(|i| self.connect(i));
    }

    /// Cuts a server's power: its tasks stop where they are, and what is not synced may be lost from
    /// its disk. Simulation only. Nothing happens if it is down.
    ///
    /// # Panics
    /// On real threads.
    pub fn crash(&self, server: usize) {
        self.stop_tasks(server, "crash", StableStorage::after_power_failure);
    }

    /// Kills a server's process, as `kill -9` does: its tasks stop where they are, but the machine
    /// stays up, and with it what was written and not synced. Simulation only. Nothing happens if
    /// it is down.
    ///
    /// # Panics
    /// On real threads.
    pub fn kill(&self, server: usize) {
        self.stop_tasks(server, "kill", StableStorage::copy);
    }

    /// Takes a server down and stops its tasks.
    fn stop_tasks(&self, server: usize, verb: &str, left: fn(&StableStorage) -> StableStorage) {
        if let Some(Running { node, handle, .. }) = self.take_down(server, verb, left) {
            node.crash();
            node.spawn(move || drop(handle));
        }
    }

    /// Asks a server to stop and lets it run on as a zombie, which cannot save, and cannot talk to
    /// any server but through its [`OutsideEnds`]. Nothing happens if it is down. A zombie that
    /// still calls a server after [`SILENCE_AFTER`] fails the run.
    pub fn shutdown(&self, server: usize) {
        let ends = self.slots()[server].ends.clone();
        let running = self.take_down(server, "shutdown", StableStorage::copy);
        if let Some(Running { node, handle, outside }) = running {
            let inner = Arc::clone(&self.0);
            node.spawn(move || (inner.stop)(&handle));
            let (sim, name) = (self.0.sim.clone(), self.name(server).to_string());
            spawn(move || {
                sleep(SILENCE_AFTER);
                sim.trap_calls(&name, &ends);
                outside.trap_calls();
            });
        }
    }

    /// Shuts a server down, kills it, or cuts its power, as the seed decides; on real threads
    /// always the first.
    #[track_caller]
    pub fn bring_down(&self, server: usize) {
        if self.0.sim.is_real() {
            return self.shutdown(server);
        }
        match labrpc::rng().random_range(0..4_u32) {
            0 if mishap() => self.crash(server),
            1 if mishap() => self.kill(server),
            _ => self.shutdown(server),
        }
    }

    /// Brings a server down if it is up, and starts it again. It is disconnected afterwards.
    #[track_caller]
    pub fn restart(&self, server: usize) {
        self.bring_down(server);
        self.start(server);
    }

    /// Takes a server that is up off the network and out of its slot. `left` says what its next
    /// incarnation finds; what this one saves from now on is lost.
    fn take_down(
        &self,
        server: usize,
        verb: &str,
        left: fn(&StableStorage) -> StableStorage,
    ) -> Option<Running<S>> {
        if !self.is_up(server) {
            return None;
        }
        self.sim().fault(verb, [self.name(server)]);
        self.unplug(server);
        self.0.sim.network().delete_server(self.name(server));
        self.0.sim.update_server(self.line(server), |line| line.up = false);
        let storage = left(&self.storage(server));
        let mut slots = self.slots();
        let slot = &mut slots[server];
        slot.storage = storage;
        slot.running.take()
    }
}

/// Tasks of a server's node drop its handle, also at the end of the test.
impl<S: Send + Sync + 'static> Drop for Inner<S> {
    fn drop(&mut self) {
        let slots = unpoisoned(self.slots.get_mut());
        for Running { node, handle, .. } in slots.drain(..).filter_map(|slot| slot.running) {
            node.spawn(move || drop(handle));
        }
    }
}
