//! The definition of linearizability, as a program.
//!
//! It tries all orders, so it works only for histories of up to about eight operations. Its purpose
//! is to test the declarations of a [`Model`] and the [checker](fn@linearizability::check): it uses neither
//! the declarations nor the checker's code.

use linearizability::{Model, Operation};

/// Whether the history is linearizable.
pub fn is_linearizable<M: Model>(model: &M, history: &[Operation<M::Input, M::Output>]) -> bool {
    let key = |operation: &Operation<M::Input, M::Output>| model.partition(&operation.input);
    history.iter().all(|operation| {
        let part: Vec<_> = history.iter().filter(|other| key(other) == key(operation)).collect();
        can_continue(model, &part, &mut vec![false; part.len()], &model.init())
    })
}

/// Whether `order`, indices into the history, is an order in which its operations could have taken
/// effect one at a time: real time is respected, every answer is right, no operation is listed
/// twice, and no operation that is left out returned before a listed one was called.
pub fn replays<M: Model>(
    model: &M,
    history: &[Operation<M::Input, M::Output>],
    order: &[usize],
) -> bool {
    let Some(first) = order.first() else {
        return true;
    };
    let key = model.partition(&history[*first].input);
    let part: Vec<_> =
        (0..history.len()).filter(|index| model.partition(&history[*index].input) == key).collect();
    let mut taken = vec![false; history.len()];
    let mut state = model.init();
    order.iter().all(|&index| {
        let operation = &history[index];
        let must_come_first = |other: &usize| {
            !taken[*other] && returned_before(&history[*other], operation.call_time)
        };
        if taken[index] || !part.contains(&index) || part.iter().any(must_come_first) {
            return false;
        }
        taken[index] = true;
        match model.step(&state, &operation.input, operation.output.as_ref()) {
            Some(after) => state = after,
            None => return false,
        }
        true
    })
}

/// Whether the operations not yet `taken` can follow, starting from `state`.
fn can_continue<M: Model>(
    model: &M,
    part: &[&Operation<M::Input, M::Output>],
    taken: &mut [bool],
    state: &M::State,
) -> bool {
    let is_open = |index: usize, taken: &[bool]| !taken[index];
    if (0..part.len()).all(|index| part[index].return_time.is_none() || taken[index]) {
        return true;
    }
    for index in 0..part.len() {
        let call_time = part[index].call_time;
        let must_wait = (0..part.len())
            .any(|other| is_open(other, taken) && returned_before(part[other], call_time));
        if taken[index] || must_wait {
            continue;
        }
        if let Some(after) = model.step(state, &part[index].input, part[index].output.as_ref()) {
            taken[index] = true;
            if can_continue(model, part, taken, &after) {
                return true;
            }
            taken[index] = false;
        }
    }
    false
}

/// Whether an operation had returned when another one was called.
fn returned_before<I, O>(operation: &Operation<I, O>, time: u64) -> bool {
    operation.return_time.is_some_and(|returned| returned < time)
}
