//! What a server knows. All of it is behind one lock.

use std::{collections::BTreeSet, net::SocketAddr};

use crate::given::{tail::Tail, version::Prefix, writes::Writes};
use crate::{Epoch, Identity, Order, Recovered, Status, Table, Version};

/// The state of one server.
///
/// What must survive a crash is on the disk too: whoever changes it here pushes a `Write` that
/// changes it there.
pub struct State {
    /// This server.
    pub me: SocketAddr,
    /// All servers. A majority is always one of these, dead or alive.
    #[allow(dead_code, reason = "nothing counts servers yet")]
    pub servers: BTreeSet<SocketAddr>,
    /// How many records come between two snapshots.
    #[allow(dead_code, reason = "nothing takes snapshots before PB3")]
    pub snapshot_every: u64,
    /// On disk: the highest epoch that this server knows of.
    pub promised: Epoch,
    /// On disk: the log, without what only the snapshot has.
    pub tail: Tail,
    /// The last record that is known to be done.
    pub committed: Order,
    /// The keys and values after that record.
    #[allow(dead_code, reason = "nothing is applied yet")]
    pub table: Table,
    /// Whether the log was found damaged. Records that this server has acknowledged may be missing:
    /// what must it not do until the primary has sent it a snapshot (PB3)?
    pub is_damaged: bool,
    /// Primary, backup, or on the way.
    pub role: Role,
    /// What has to be written.
    pub writes: Writes,
    // Your fields here: whatever a server must remember in every role.
}

/// What a server is at the moment.
pub enum Role {
    /// Follows a primary, or has none.
    Backup,
    // The other roles. A variant can have fields, for what only this role must remember. The
    // compiler will show you each `match` that does not know a new role yet.
}

impl State {
    /// The state of a server that starts. What is in its log may be done or not: who can tell?
    pub fn new(identity: Identity, snapshot_every: u64, found: Recovered) -> Self {
        let before = Prefix { chain: found.chain, last: found.before };
        let mut tail = Tail::new(before, found.kept);
        for record in found.records {
            tail.append(record);
        }
        State {
            me: identity.address,
            servers: identity.servers,
            snapshot_every,
            promised: found.promise,
            tail,
            table: found.snapshot.table,
            committed: found.snapshot.last.order,
            is_damaged: found.damage.is_some(),
            writes: Writes::default(),
            role: Role::Backup,
        }
    }

    /// Whether this server is primary, as far as it knows.
    pub fn is_primary(&self) -> bool {
        match self.role {
            Role::Backup => false,
        }
    }

    /// The primary that this server follows, or itself if it is primary.
    pub fn known_primary(&self) -> Option<SocketAddr> {
        let Role::Backup = self.role;
        None
    }

    /// The version by which servers are compared. A damaged log has none.
    pub fn sound_version(&self) -> Option<Version> {
        if self.is_damaged { None } else { Some(self.tail.version()) }
    }

    /// What this server says about itself. Tests wait for what they find here.
    pub fn describe(&self) -> Status {
        Status {
            is_primary: self.is_primary(),
            primary: self.known_primary(),
            version: self.sound_version(),
            committed: self.tail.version_at(self.committed).unwrap_or_default(),
            epoch: self.promised,
            address: self.me,
        }
    }
}
