//! Nodes: what lives and dies together.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::core::Core;
use super::real::run;
use super::spawn::{JoinHandle, spawn_on};
use super::sys::current::dispatch;
use super::task::NodeId;

/// One incarnation of a server: all tasks that run on its behalf. Tasks belong to the node of the
/// task that spawned them, RPC handlers to the node on which their [`Server`](crate::Server) was
/// made. A test is not a node: it is never crashed, and no policy stalls its tasks.
///
/// A server that restarts is a new node.
#[derive(Clone)]
pub struct Node {
    id: NodeId,
    name: Arc<str>,
}

impl Node {
    /// A node with this name, which appears in logs and reports: `S0`.
    pub fn new(name: &str) -> Self {
        let id = dispatch(|core| match core {
            Some(core) => core.add_node(name),
            None => run::current().map_or(NodeId::TEST, |member| member.run.add_node(name)),
        });
        Self { id, name: name.into() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Starts a task on this node. On a node that crashed, the task only drops what it owns.
    #[track_caller]
    pub fn spawn<T: Send + 'static>(
        &self,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let site = Location::caller();
        dispatch(|core| {
            core.map(Core::enter);
            spawn_on(core, self.id, site, body)
        })
    }

    /// Runs `body` as a task of this node and waits for what it returns; `None` if the node has
    /// crashed or crashes meanwhile. This is how a test enters a server's code.
    #[track_caller]
    pub fn call<T: Send + 'static>(&self, body: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        self.spawn(body).join().ok()
    }

    /// Stops every task of this node at the point where it stands, as if the machine had lost its
    /// power: no line of their code runs any more. What the tasks own is dropped, but nothing that
    /// a destructor does has any effect. Simulation only.
    ///
    /// # Panics
    /// On real threads, which cannot be stopped.
    pub fn crash(&self) {
        dispatch(|core| match core {
            Some(core) => core.crash(self.id),
            None => panic!("a node can only crash in a simulation; shut it down instead"),
        });
    }

    /// Whether the node has not crashed.
    pub fn is_alive(&self) -> bool {
        dispatch(|core| match core {
            Some(core) => {
                core.charge();
                core.is_alive(self.id)
            }
            None => true,
        })
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
