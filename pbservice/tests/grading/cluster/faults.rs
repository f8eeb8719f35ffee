//! Crashes, partitions, and what servers find when they return.

use labrpc::Disk;
use pbservice::PbServer;
use testkit::StableStorage;

use super::PbCluster;

impl PbCluster {
    /// Cuts a server's power: it loses what is not on its disk.
    pub fn crash(&self, server: usize) {
        self.servers.crash(server);
    }

    /// Kills a server's process, as `kill -9` does: the machine stays up, and with it what was
    /// written but not synced.
    pub fn kill(&self, server: usize) {
        self.servers.kill(server);
    }

    /// Brings a server down in one of three ways, as the run's seed decides: without power, killed,
    /// or asked to stop.
    pub fn bring_down(&self, server: usize) {
        self.servers.bring_down(server);
    }

    /// Whether a server has stopped its service because its disk has failed.
    pub fn has_failed(&self, server: usize) -> bool {
        self.servers.call(server, PbServer::failure).flatten().is_some()
    }

    /// What a server writes to, or will find when it starts.
    pub fn disk(&self, server: usize) -> Disk {
        self.servers.storage(server).disk
    }

    /// What a server that is down will find when it starts.
    pub fn set_disk(&self, server: usize, disk: Disk) {
        let storage = StableStorage { disk, ..self.servers.storage(server) };
        self.servers.replace_storage(server, storage);
    }

    /// Cuts these servers off from the others. Clients are not affected.
    pub fn isolate(&self, side: &[usize]) {
        self.servers.partition(&[side, &self.others(side)]);
    }

    /// Lets the calls of a server reach only these others; all others still reach it.
    pub fn mute(&self, server: usize, reached: &[usize]) {
        let deaf = self.others(&[&[server], reached].concat());
        deaf.into_iter().for_each(|other| self.servers.cut(server, other));
    }

    /// Flips a bit in the middle of a server's log.
    pub fn rot(&self, server: usize) {
        self.disk(server).flip("log", self.log_len(server) / 2, 0x10);
    }

    /// Starts a server that is down and connects it.
    pub fn restart(&self, server: usize) {
        self.servers.start(server);
        self.servers.connect(server);
    }

    /// Connects two servers with each other, whatever separates them from the rest.
    pub fn link(&self, one: usize, other: usize) {
        self.servers.mend(one, other);
        self.servers.mend(other, one);
    }

    /// Brings every server down.
    pub fn bring_all_down(&self) {
        self.all().for_each(|server| self.bring_down(server));
    }

    /// Connects everyone with everyone, and starts those that are down.
    pub fn connect_all(&self) {
        self.servers.heal();
        self.servers.start_all();
    }
}
