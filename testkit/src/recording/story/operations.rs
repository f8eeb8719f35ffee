//! What clients asked for, and what came of it.

use std::collections::BTreeSet;

use super::Line;
use super::operation::Operation;
use super::scope::Scope;

/// The most operations that are told of those that the violation names or quotes, or that accidents
/// have hit.
const MOST: usize = 8;

/// The most operations before them.
const BEFORE: usize = 5;

/// If there are not more clients than this, their last operations matter also if the violation
/// names none.
const FEW_CLIENTS: usize = 2;

/// A test that complains about an operation does so within this many microseconds of its end.
const AT_ONCE: u64 = 1_000;

/// When the operation began that the test waits for at the end, or has waited for at least so long;
/// in microseconds.
pub(super) fn awaited(scope: &Scope<'_>, long: u64) -> Option<u64> {
    let is_awaited = |operation: &&Operation<'_>| match operation.completed {
        None => scope.quotes(operation),
        Some((_, at, _)) => at + AT_ONCE >= scope.end && at >= operation.begun_at + long,
    };
    scope.operations.iter().filter(is_awaited).map(|operation| operation.begun_at).min()
}

/// The operations that the violation names or quotes, or that accidents have hit, and a few before
/// them that have to do with them: the most relevant ones last.
pub(super) fn lines(scope: &Scope<'_>) -> Vec<Line> {
    let list = &scope.operations;
    let (named, others): (Vec<_>, Vec<_>) = list.iter().partition(|it| scope.names(it));
    let mut others = others;
    match named.last() {
        Some(last) => {
            let keys: BTreeSet<_> = named.iter().map(|it| it.key).collect();
            // Those without a key may concern all keys: a change of the configuration, for instance.
            let is_related = |key: Option<&str>| key.is_none() || keys.contains(&key);
            others.retain(|it| it.begun < last.begun && is_related(it.key));
        }
        None => {
            let clients: BTreeSet<&str> = list.iter().map(|it| it.client).collect();
            if clients.len() > FEW_CLIENTS {
                others.clear();
            }
        }
    }
    let last = |list: &[&Operation<'_>], most: usize| -> Vec<Line> {
        list[list.len().saturating_sub(most)..].iter().map(|it| it.line(scope.seen)).collect()
    };
    let mut lines = last(&others, BEFORE);
    let more = named.len().saturating_sub(MOST);
    let mut named = last(&named, MOST);
    if let Some(first) = named.first_mut().filter(|_| more > 0) {
        first.text += &format!("; and {more} more before");
    }
    lines.extend(named);
    lines
}
