//! What the steps of a test have left: servers that are down, cut links, and the like.

use std::collections::{BTreeMap, BTreeSet};

use contract::recording::{Fault, What};

/// The most things of one kind that are listed.
const MOST: usize = 8;

/// Switches of the network that are no news.
const USUAL: [&str; 3] = ["reliable", "long delays", "no long reordering"];

/// What faults have changed and not undone. It follows from the faults alone: what the harness sees of
/// servers comes late.
#[derive(Default)]
pub(super) struct Left<'a> {
    down: BTreeSet<&'a str>,
    /// Servers that run, and are not connected.
    cut_off: BTreeSet<&'a str>,
    cut: BTreeSet<(&'a str, &'a str)>,
    /// Of each cluster that is split.
    sides: Vec<&'a [Vec<String>]>,
    /// Links, and whether requests or replies wait there.
    held: BTreeSet<(&'a str, &'a str, &'a str)>,
    /// What a client still reaches.
    reach: BTreeMap<&'a str, &'a [String]>,
    /// By what they switch.
    switches: BTreeMap<&'a str, &'a str>,
}

impl<'a> Left<'a> {
    /// Adds what a fault or a switch changes.
    pub(super) fn add(&mut self, what: &'a What) {
        match what {
            What::Network { text } => {
                let switch = text.trim_start_matches("no ").trim_start_matches("un");
                self.switches.insert(switch, text);
            }
            What::Fault(fault) => self.add_fault(fault),
            _ => {}
        }
    }

    fn add_fault(&mut self, fault: &'a Fault) {
        let names: Vec<&'a str> = fault.servers.iter().map(String::as_str).collect();
        match (&*fault.verb, &names[..]) {
            ("crash" | "kill" | "shutdown", &[server]) => {
                self.down.insert(server);
                self.cut_off.remove(server);
            }
            ("start" | "disconnect", &[server]) => {
                if fault.verb == "start" {
                    self.down.remove(server);
                }
                if !self.down.contains(server) {
                    self.cut_off.insert(server);
                }
            }
            ("connect", &[server]) => _ = self.cut_off.remove(server),
            ("cut", &[from, to]) => _ = self.cut.insert((from, to)),
            ("mend", &[from, to]) => {
                self.cut.remove(&(from, to));
                // Sides that are joined by a link are no sides.
                self.sides.retain(|sides| side_of(sides, from) == side_of(sides, to));
            }
            ("hold requests", &[from, to]) => _ = self.held.insert((from, to, "requests")),
            ("hold replies", &[from, to]) => _ = self.held.insert((from, to, "replies")),
            // What is held when it is released travels on, but the link still holds what comes then.
            ("pass", &[from, to]) => self.held.retain(|link| (link.0, link.1) != (from, to)),
            ("partition", _) => self.split(&fault.sides),
            ("heal", names) => self.heal(names),
            ("reach", &[client, ..]) => _ = self.reach.insert(client, &fault.servers[1..]),
            ("reach all", &[client]) => _ = self.reach.remove(client),
            _ => {}
        }
    }

    /// Cuts the links between the sides, and mends those within each.
    fn split(&mut self, sides: &'a [Vec<String>]) {
        let side = |name: &str| side_of(sides, name);
        self.cut.retain(|(from, to)| side(from).is_none() || side(from) != side(to));
        self.sides.retain(|sides| !sides.iter().flatten().any(|name| side(name).is_some()));
        // Sides that are drawn may be empty.
        if sides.iter().filter(|side| !side.is_empty()).count() > 1 {
            self.sides.push(sides);
        }
    }

    /// Mends the links between these servers; all that there are if it is none.
    fn heal(&mut self, names: &[&str]) {
        if names.is_empty() {
            self.cut.clear();
            self.sides.clear();
            self.reach.clear();
        }
        self.cut.retain(|(from, to)| !names.contains(from) || !names.contains(to));
        self.sides.retain(|sides| !sides.iter().flatten().any(|it| names.contains(&&**it)));
    }

    /// Whether a link is cut, or leads to another side.
    pub(super) fn is_cut(&self, from: &str, to: &str) -> bool {
        let side = |sides: &[Vec<String>], name| side_of(sides, name);
        let is_between = |sides: &&&[Vec<String>]| {
            let (from, to) = (side(sides, from), side(sides, to));
            from.is_some() && to.is_some() && from != to
        };
        self.cut.contains(&(from, to)) || self.sides.iter().any(|sides| is_between(&sides))
    }

    /// Whether a client does not reach all of its servers.
    pub(super) fn is_restricted(&self, client: &str) -> bool {
        self.reach.contains_key(client)
    }

    /// In words; empty if nothing is known to be left.
    pub(super) fn in_words(&self) -> String {
        let names = |names: &BTreeSet<&str>| list(names.iter().map(ToString::to_string), ", ");
        let links = self.cut.iter().map(|(from, to)| format!("{from}>{to}"));
        let held = self.held.iter().map(|(from, to, what)| format!("{what} on {from}>{to}"));
        let reach = self.reach.iter();
        let reach = reach.map(|(client, reached)| format!("{client} reaches {}", only(reached)));
        let switches = self.switches.values().filter(|text| !USUAL.contains(text));
        let parts = [
            (names(&self.down), "", " down"),
            (names(&self.cut_off), "", " cut off"),
            (list(links, " "), "cut links ", ""),
            (list(self.sides.iter().map(|sides| in_words(sides)), "; "), "the sides ", ""),
            (list(held, ", "), "held: ", ""),
            (list(reach, ", "), "", ""),
            (list(switches.map(ToString::to_string), ", "), "the network ", ""),
        ];
        let parts = parts.into_iter().filter(|(what, ..)| !what.is_empty());
        let parts = parts.map(|(what, before, after)| format!("{before}{what}{after}"));
        parts.collect::<Vec<_>>().join("; ")
    }
}

/// The number of the side on which a server is.
fn side_of(sides: &[Vec<String>], name: &str) -> Option<usize> {
    sides.iter().position(|side| side.iter().any(|it| it == name))
}

/// The sides of a partition.
pub(super) fn in_words(sides: &[Vec<String>]) -> String {
    let sides = sides.iter().filter(|side| !side.is_empty());
    sides.map(|side| side.join(" ")).collect::<Vec<_>>().join(" | ")
}

/// What a client reaches if it does not reach all of its servers.
pub(super) fn only(reached: &[String]) -> String {
    if reached.is_empty() { "no server".to_string() } else { format!("only {}", reached.join(" ")) }
}

/// The first of these, and how many more there are.
fn list(all: impl Iterator<Item = String>, between: &str) -> String {
    let mut all: Vec<String> = all.collect();
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    all.join(between) + &more
}
