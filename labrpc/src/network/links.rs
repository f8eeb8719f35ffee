//! Which end leads to which server, and whether it is open.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;
use std::ptr;
use std::sync::Arc;

use crate::server::Server;

/// An end, by its number in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndId(u32);

impl EndId {
    pub(crate) fn number(self) -> u64 {
        self.0.into()
    }
}

/// What is held on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Held {
    Requests,
    Replies,
}

/// A server's name, by its number in the network. It stays when the server restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct HostId(u32);

/// The way from an end to the very server that was there when a request was sent.
///
/// It names the server by numbers and does not own it: what a server owns must only be dropped by
/// tasks, never by the scheduler, and messages belong to the scheduler while they travel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path {
    pub(crate) end: EndId,
    host: HostId,
    /// Not the name alone: a restarted server is another.
    incarnation: u64,
}

/// The table of ends and servers.
#[derive(Default)]
pub(crate) struct Links {
    ends: Vec<End>,
    end_ids: BTreeMap<String, EndId>,
    hosts: Vec<Host>,
    host_ids: BTreeMap<String, HostId>,
    /// One-way links between servers that are cut.
    cut: BTreeSet<(HostId, HostId)>,
    /// One-way links between servers on which messages of one kind are held.
    holding: BTreeSet<(HostId, HostId, Held)>,
}

struct End {
    name: Arc<str>,
    owner: Option<HostId>,
    connected: Option<HostId>,
    enabled: bool,
    /// The lines that call on it, by method. There are few, so a search is faster than a map.
    callers: Vec<Caller>,
}

/// How many lines a report names that make very many calls.
const MOST_BUSY: usize = 3;

/// A line of the program that calls a method on an end, and how often since the end was made.
struct Caller {
    site: &'static Location<'static>,
    method: String,
    calls: u64,
    /// The method and the caller, for the task that handles a call.
    label: Arc<str>,
}

/// A server's name, and the server that has it now.
struct Host {
    name: Arc<str>,
    server: Option<Arc<Server>>,
    /// Changes with every change of `server`.
    incarnation: u64,
}

impl Links {
    /// Adds an end, disabled and not connected.
    pub(crate) fn add_end(&mut self, name: &str, owner: Option<&str>) -> EndId {
        let owner = owner.map(|owner| self.host(owner));
        let id = EndId(self.ends.len() as u32);
        self.ends.push(End {
            name: name.into(),
            owner,
            connected: None,
            enabled: false,
            callers: Vec::new(),
        });
        let before = self.end_ids.insert(name.to_string(), id);
        assert!(before.is_none(), "an end with the name '{name}' exists already");
        id
    }

    /// Forgets an end's name and closes it for good.
    pub(crate) fn delete_end(&mut self, name: &str) {
        let end = self.end(name);
        end.enabled = false;
        end.connected = None;
        self.end_ids.remove(name);
    }

    /// Connects an end to the server of this name.
    pub(crate) fn connect(&mut self, end: &str, server: &str) {
        let host = self.host(server);
        self.end(end).connected = Some(host);
    }

    /// Opens or closes an end.
    pub(crate) fn enable(&mut self, end: &str, enabled: bool) {
        self.end(end).enabled = enabled;
    }

    /// Gives a name to another server or to none, and returns the server that had it: dropping that
    /// one may run anything.
    pub(crate) fn set_server(&mut self, name: &str, server: Option<Server>) -> Option<Arc<Server>> {
        let HostId(index) = self.host(name);
        let host = &mut self.hosts[index as usize];
        host.incarnation += 1;
        std::mem::replace(&mut host.server, server.map(|server| Arc::new(server.named(name))))
    }

    /// Removes all servers; dropping them may run anything.
    pub(crate) fn take_servers(&mut self) -> Vec<Arc<Server>> {
        self.hosts.iter_mut().filter_map(|host| host.server.take()).collect()
    }

    pub(crate) fn server(&self, name: &str) -> Option<&Arc<Server>> {
        let HostId(index) = self.host_ids.get(name)?;
        self.hosts[*index as usize].server.as_ref()
    }

    /// The server at the end of a path; `None` if the path is no longer whole.
    pub(crate) fn destination(&self, path: Option<Path>) -> Option<Arc<Server>> {
        let host = &self.hosts[path?.host.0 as usize];
        host.server.as_ref().filter(|_| self.is_whole(path)).map(Arc::clone)
    }

    /// Cuts a one-way link between servers.
    pub(crate) fn cut(&mut self, from: &str, to: &str) {
        let link = (self.host(from), self.host(to));
        self.cut.insert(link);
    }

    /// Mends a one-way link between servers.
    pub(crate) fn mend(&mut self, from: &str, to: &str) {
        let link = (self.host(from), self.host(to));
        self.cut.remove(&link);
    }

    /// Mends every link between servers.
    pub(crate) fn mend_all(&mut self) {
        self.cut.clear();
    }

    /// Holds the messages of one kind from now on, on a one-way link between servers.
    pub(crate) fn hold(&mut self, from: &str, to: &str, held: Held) {
        let link = (self.host(from), self.host(to), held);
        self.holding.insert(link);
    }

    /// Lets the messages on a one-way link between servers pass from now on.
    pub(crate) fn pass(&mut self, from: &str, to: &str) {
        let (from, to) = (self.host(from), self.host(to));
        self.holding.retain(|link| (link.0, link.1) != (from, to));
    }

    /// Whether messages of this kind are held on a path. On no path, none are.
    pub(crate) fn is_holding(&self, path: Option<Path>, held: Held) -> bool {
        let Some(path) = path.filter(|_| !self.holding.is_empty()) else { return false };
        let owner = self.ends[path.end.0 as usize].owner;
        owner.is_some_and(|owner| self.holding.contains(&(owner, path.host, held)))
    }

    /// The way from an end to a live server, if it is open.
    pub(crate) fn path(&self, end: EndId) -> Option<Path> {
        let host = self.open_way(end)?;
        let Host { server, incarnation, .. } = &self.hosts[host.0 as usize];
        server.is_some().then_some(Path { end, host, incarnation: *incarnation })
    }

    /// The names of an end, of its owner, and of the server that it leads to.
    pub(crate) fn names(&self, end: EndId) -> [&str; 3] {
        let end = &self.ends[end.0 as usize];
        let name =
            |host: Option<HostId>| host.map_or("", |host| &*self.hosts[host.0 as usize].name);
        [&end.name, name(end.owner), name(end.connected)]
    }

    /// Notes a call on an end, which this line makes; returns its label: the method and the caller.
    pub(crate) fn note_call(
        &mut self,
        end: EndId,
        site: &'static Location<'static>,
        method: &str,
    ) -> Arc<str> {
        let callers = &mut self.ends[end.0 as usize].callers;
        // A line may have several addresses, and be passed different methods.
        let is_same = |caller: &&mut Caller| {
            (ptr::eq(caller.site, site) || caller.site == site) && caller.method == method
        };
        if let Some(caller) = callers.iter_mut().find(is_same) {
            caller.calls += 1;
            return Arc::clone(&caller.label);
        }
        let label: Arc<str> = format!("{method} for {}", self.caller(end)).into();
        self.ends[end.0 as usize].callers.push(Caller {
            site,
            method: method.to_string(),
            calls: 1,
            label: Arc::clone(&label),
        });
        label
    }

    /// The lines that have made at least this number of calls on one end, the busiest first, in
    /// words.
    pub(crate) fn busiest_callers(&self, least: u64) -> Vec<String> {
        let mut busiest = Vec::new();
        for (number, end) in self.ends.iter().enumerate() {
            let end_id = EndId(number as u32);
            let (from, [.., to]) = (self.caller(end_id), self.names(end_id));
            for Caller { site, method, calls, .. } in
                end.callers.iter().filter(|it| it.calls >= least)
            {
                busiest.push((
                    *calls,
                    format!("{from} calls {method} of {to} {calls} times at {site}"),
                ));
            }
        }
        busiest.sort_by_key(|(calls, _)| Reverse(*calls)); // Stable: ties keep their order.
        busiest.into_iter().map(|(_, line)| line).take(MOST_BUSY).collect()
    }

    /// The name of the server that an end belongs to; without one, the name of the end.
    fn caller(&self, end: EndId) -> &str {
        let End { name, owner, .. } = &self.ends[end.0 as usize];
        owner.map_or(name, |owner| &self.hosts[owner.0 as usize].name)
    }

    /// Whether a path is still open and leads to the same server; `None` is not.
    pub(crate) fn is_whole(&self, path: Option<Path>) -> bool {
        path.is_some_and(|Path { end, host, incarnation }| {
            self.open_way(end) == Some(host)
                && self.hosts[host.0 as usize].incarnation == incarnation
        })
    }

    /// The server name that an end leads to, if the end is enabled and the link is not cut.
    fn open_way(&self, end: EndId) -> Option<HostId> {
        let end = &self.ends[end.0 as usize];
        let host = end.connected.filter(|_| end.enabled)?;
        let is_cut = !self.cut.is_empty()
            && end.owner.is_some_and(|owner| self.cut.contains(&(owner, host)));
        (!is_cut).then_some(host)
    }

    fn end(&mut self, name: &str) -> &mut End {
        match self.end_ids.get(name) {
            Some(EndId(index)) => &mut self.ends[*index as usize],
            None => panic!("no end has the name '{name}'"),
        }
    }

    /// The number of a server's name, a new one if it was never heard of.
    fn host(&mut self, name: &str) -> HostId {
        if let Some(id) = self.host_ids.get(name) {
            return *id;
        }
        let id = HostId(self.hosts.len() as u32);
        self.hosts.push(Host { name: name.into(), server: None, incarnation: 0 });
        self.host_ids.insert(name.to_string(), id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_one_line_calls_are_counted_apart() {
        let mut links = Links::default();
        let end = links.add_end("S1>S0", Some("S1"));
        links.connect("S1>S0", "S0");
        let site = Location::caller();
        let copy: &'static Location<'static> = Box::leak(Box::new(*site));
        links.note_call(end, site, "Raft.AppendEntries");
        links.note_call(end, copy, "Raft.AppendEntries");
        links.note_call(end, site, "Raft.RequestVote");
        let lines = [
            format!("S1 calls Raft.AppendEntries of S0 2 times at {site}"),
            format!("S1 calls Raft.RequestVote of S0 1 times at {site}"),
        ];
        assert_eq!(links.busiest_callers(1), lines);
    }
}
