//! What did not happen while the test waited: replies, leaders, applied commands.
//!
//! A server that does nothing leaves no event that could be told.

use std::collections::{BTreeMap, BTreeSet};

use contract::recording::{Event, State, What};

use super::call::{Call, is_client};
use super::left::Left;
use super::scope::Scope;
use super::script::states;
use super::{operations, seconds};

/// A shorter time, in microseconds, is no wait.
const SHORT: u64 = 1_000_000;

/// A call that has no reply for at least so long, in microseconds, is told.
const SLOW: u64 = 500_000;

/// So many calls without a reply are no chance.
const FEW: usize = 3;

/// The most lines.
const MOST: usize = 5;

/// The most lines of one kind.
const ALIKE: usize = 2;

/// The most kinds of calls, and of log lines, that ceased.
const MOST_CEASED: usize = 5;

/// The most names in a list.
const MOST_NAMES: usize = 8;

/// The time in which something should have happened, in microseconds.
#[derive(Clone, Copy)]
struct Wait {
    since: u64,
    end: u64,
}

/// What did not happen since the last step of the test, or since the operation began that it waited
/// for; nothing if it hardly waited. `observed` is what the violation says.
pub(super) fn lines(scope: &Scope<'_>, observed: &str) -> Vec<String> {
    let end = scope.end;
    let awaited = operations::awaited(scope, SHORT);
    let since = scope.last_step.max(awaited.unwrap_or(0));
    if !scope.may_have_waited || end < since + SHORT {
        return Vec::new();
    }
    let wait = Wait { since, end };
    let servers = servers(scope.seen);
    let mut lines = without_reply(scope, wait, &servers, awaited.is_some());
    lines.extend(awaited.and_then(|_| slow(scope, wait)));
    lines.extend(unanswered(scope, wait, &servers));
    match without_leader(&servers) {
        Some(line) => lines.push(line),
        None => lines.extend(awaited.and_then(|_| behind(wait, &servers))),
    }
    if observed.contains("bytes") {
        lines.extend(saved(scope.seen));
    }
    lines.truncate(MOST - 1);
    lines.extend(ceased(scope, wait));
    lines
}

/// Calls that still have no reply, of callers that are connected. Unless an operation is awaited, it is
/// no news that a link which the test has cut lets nothing pass.
fn without_reply(
    scope: &Scope<'_>,
    wait: Wait,
    servers: &BTreeMap<&str, Seen<'_>>,
    is_awaited: bool,
) -> Vec<String> {
    let mut left = Left::default();
    scope.seen.iter().for_each(|event| left.add(&event.what));
    let mut stopped: BTreeMap<&str, u64> = BTreeMap::new();
    for event in scope.seen {
        if let What::Fault(fault) = &event.what
            && ["crash", "kill", "shutdown"].contains(&&*fault.verb)
        {
            stopped.extend(fault.servers.iter().map(|server| (&**server, event.at)));
        }
    }
    // A caller that was stopped waits no more.
    let waits = |call: &&Call<'_>| {
        call.is_open()
            && call.sent + SLOW <= wait.end
            && is_reached(call.from, servers)
            && (is_awaited || !left.is_cut(call.from, call.to))
            && stopped.get(call.from).is_none_or(|at| *at < call.sent)
    };
    let mut kinds: BTreeMap<(&str, &str), Vec<&Call<'_>>> = BTreeMap::new();
    for call in scope.calls.iter().filter(waits) {
        kinds.entry((call.to, call.method)).or_default().push(call);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|((server, _), calls)| (!scope.is_about(server), calls[0].sent));
    let line = |((server, _), calls): &((&str, &str), Vec<&Call<'_>>)| {
        let method = calls[0].name();
        let returned = calls.iter().filter(|call| call.is_returned()).count();
        let arrived = calls.iter().filter(|call| call.has_arrived).count();
        let state = match calls.len() {
            all if returned == all => "; the replies have not arrived",
            all if arrived == all && returned == 0 => "; the handlers do not return",
            _ if arrived == 0 => "; the requests have not arrived",
            _ => "",
        };
        let callers = names(calls.iter().map(|call| call.from));
        let (count, since) = (calls.len(), seconds(calls[0].sent));
        let calls = if count == 1 { "a call".to_string() } else { format!("{count} calls") };
        format!(
            "until the end: no reply to {calls} of {method} by {callers} to {server}, since \
             {since}{state}"
        )
    };
    kinds.iter().take(ALIKE).map(line).collect()
}

/// The server's call that took longest of those that were over.
fn slow(scope: &Scope<'_>, wait: Wait) -> Option<String> {
    let took = |call: &Call<'_>| scope.seen[call.index].at - call.sent;
    let calls = scope.calls.iter().filter(|call| {
        !call.is_open() && call.sent >= wait.since && !is_client(call.from) && took(call) >= SLOW
    });
    let call = calls.max_by_key(|call| (took(call), u64::MAX - call.sent))?;
    let end = call.loss().unwrap_or("the reply comes");
    let (name, at, took) = (call.name(), seconds(call.sent), seconds(took(call)));
    let Call { from, to, .. } = call;
    Some(format!("slow: {from} calls {name} of {to} at {at}, and after {took}: {end}"))
}

/// Whether the harness does not see that a server is down or disconnected. It sees no clients.
fn is_reached(name: &str, servers: &BTreeMap<&str, Seen<'_>>) -> bool {
    servers.get(name).is_none_or(|seen| seen.state.up && seen.state.connected)
}

/// Callers that got no reply from anybody, though they called again and again.
fn unanswered(scope: &Scope<'_>, wait: Wait, servers: &BTreeMap<&str, Seen<'_>>) -> Vec<String> {
    let mut kinds: BTreeMap<(&str, &str), Vec<&Call<'_>>> = BTreeMap::new();
    for call in scope.calls.iter().filter(|call| call.sent >= wait.since) {
        kinds.entry((call.from, call.method)).or_default().push(call);
    }
    kinds.retain(|(from, _), calls| {
        // That the only server that is called is down is no news, unless a client is in need of it.
        let is_news = is_client(from)
            || calls.iter().any(|call| call.to != calls[0].to)
            || is_reached(calls[0].to, servers);
        let is_lost = calls.iter().all(|call| call.loss().is_some());
        is_reached(from, servers) && is_news && is_lost && calls.len() >= FEW
    });
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|((from, _), calls)| (!scope.is_about(from), usize::MAX - calls.len()));
    let line = |((from, _), calls): &((&str, &str), Vec<&Call<'_>>)| {
        let (called, why) = (
            names(calls.iter().map(|call| call.to)),
            names(calls.iter().filter_map(|call| call.loss())),
        );
        let (count, since) = (calls.len(), seconds(wait.since));
        format!(
            "until the end: no reply to any of {count} calls of {} by {from} to {called} since \
             {since}: {why}",
            calls[0].name()
        )
    };
    kinds.iter().take(ALIKE).map(line).collect()
}

/// What the harness saw of a server.
struct Seen<'a> {
    state: &'a State,
    /// When the test last saw something new of it while it led, ran, and was connected.
    led: Option<u64>,
    /// When it last applied something, or started.
    applied: u64,
}

/// What the harness saw of each server.
fn servers(events: &[Event]) -> BTreeMap<&str, Seen<'_>> {
    let mut servers: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    for (index, state) in states(events) {
        let at = events[index].at;
        let new = Seen { state, led: None, applied: at };
        let seen = servers.entry(&state.server).or_insert(new);
        if (seen.state.applied, seen.state.up) != (state.applied, state.up) {
            seen.applied = at;
        }
        if state.leads() {
            seen.led = Some(at);
        }
        seen.state = state;
    }
    servers
}

/// That no server leads that runs and is connected. When the last one ceased to lead is not known.
fn without_leader(servers: &BTreeMap<&str, Seen<'_>>) -> Option<String> {
    let is_known = servers.values().any(|seen| seen.state.term.is_some());
    if !is_known || servers.values().any(|seen| seen.state.leads()) {
        return None;
    }
    let last = servers.iter().filter_map(|(name, seen)| Some((seen.led?, name))).max();
    Some(match last {
        Some((_, name)) => {
            format!(
                "the test sees no connected server that leads at the end; the last one that it saw \
                 is {name}"
            )
        }
        None => "until the end: the test has seen no connected server that leads".to_string(),
    })
}

/// Servers that apply nothing while the test waits for a command, in order of their names.
fn behind(wait: Wait, servers: &BTreeMap<&str, Seen<'_>>) -> Option<String> {
    let applied = |seen: &Seen<'_>| seen.state.applied.unwrap_or(0);
    let runs = servers.iter().filter(|(_, seen)| seen.state.up && seen.state.connected);
    let (idle, busy): (Vec<_>, Vec<_>) = runs.partition(|(_, seen)| seen.applied <= wait.since);
    let most = servers.values().map(applied).max().filter(|most| *most > 0)?;
    let idle = idle.iter().filter(|(_, seen)| busy.is_empty() || applied(seen) < most);
    let text = |(name, seen): &&(&&str, &Seen<'_>)| {
        format!("{name} after {} (index {})", seconds(seen.applied), applied(seen))
    };
    let idle: Vec<String> = idle.take(MOST_NAMES).map(|it| text(&it)).collect();
    let idle = idle.join(", ");
    (!idle.is_empty())
        .then(|| format!("until the end: the test has seen nothing applied on {idle}"))
}

/// What servers have saved last, the most first.
fn saved(events: &[Event]) -> Option<String> {
    let mut saved: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for event in events {
        if let What::Save { what, state, snapshot } = &event.what
            && what == "persister"
        {
            saved.insert(&event.node, (state + snapshot, event.at));
        }
    }
    let mut saved: Vec<_> = saved.into_iter().collect();
    saved.sort_by_key(|(node, (bytes, _))| (u64::MAX - bytes, *node));
    let text = |(node, (bytes, at)): &(&str, (u64, u64))| {
        format!("{node} {bytes} bytes at {}", seconds(*at))
    };
    let saved: Vec<String> = saved.iter().take(MOST_NAMES).map(text).collect();
    (!saved.is_empty()).then(|| format!("last saved, the most first: {}", saved.join(", ")))
}

/// What servers called and logged at first, and not any more.
fn ceased(scope: &Scope<'_>, wait: Wait) -> Option<String> {
    let (mut called, mut logged) = (BTreeMap::new(), BTreeMap::new());
    for call in scope.calls.iter().filter(|call| !is_client(call.from)) {
        called.insert(call.name(), call.sent);
    }
    for event in scope.seen {
        if let What::Log { topic, .. } = &event.what
            && !["test", ""].contains(&&*event.node)
        {
            logged.insert(&**topic, event.at);
        }
    }
    // What follows at once from the last step is over soon.
    let over = wait.end - (wait.end - wait.since) / 5 * 4;
    let list = |last: BTreeMap<&str, u64>, what: &str| {
        let mut last: Vec<_> = last.into_iter().filter(|(_, at)| *at < over).collect();
        last.sort_by_key(|(_, at)| u64::MAX - at);
        let text = |(name, at): &(&str, u64)| format!("{name} after {}", seconds(*at));
        let last: Vec<String> = last.iter().take(MOST_CEASED).map(text).collect();
        (!last.is_empty()).then(|| format!("{what} {}", last.join(", ")))
    };
    let lists = [list(called, "calls of"), list(logged, "log lines")];
    let lists: Vec<String> = lists.into_iter().flatten().collect();
    (!lists.is_empty()).then(|| format!("until the end, not once more: {}", lists.join("; ")))
}

/// Names, each once, in order.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    let more = names.len().saturating_sub(MOST_NAMES);
    let names: Vec<&str> = names.into_iter().take(MOST_NAMES).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(" ") + &more
}
