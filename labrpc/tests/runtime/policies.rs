//! Policies: which schedules they allow.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use labrpc::{Mutex, Node, Policy, Simulation, sleep, spawn, yield_now};

/// The orders in which three tasks that are ready together run, over 200 seeds.
fn orders(policy: Policy) -> BTreeSet<Vec<u32>> {
    let order = |seed| {
        let outcome = Simulation::new(seed).policy(policy).run(|| {
            let order = Arc::new(Mutex::new(Vec::new()));
            let tasks: Vec<_> = (0..3)
                .map(|i| {
                    let order = Arc::clone(&order);
                    spawn(move || order.lock().push(i))
                })
                .collect();
            tasks.into_iter().for_each(|task| task.join().expect("it only pushes"));
            Arc::into_inner(order).expect("all tasks have ended").into_inner()
        });
        outcome.result.expect("nothing fails")
    };
    (0..200).map(order).collect()
}

#[test]
fn fifo_keeps_the_order_and_all_others_reach_every_order() {
    assert_eq!(orders(Policy::Fifo), BTreeSet::from([vec![0, 1, 2]]));
    for policy in [Policy::Random, Policy::Walk, Policy::Pct, Policy::Stall] {
        assert_eq!(orders(policy).len(), 6, "{policy}");
    }
}

/// The virtual time that a hundred thousand operations of one task take.
fn time_of_operations(policy: Policy, is_on_server: bool) -> Duration {
    let outcome = Simulation::new(1).policy(policy).run(move || {
        let work = || {
            let lock = Mutex::new(0);
            (0..100_000).for_each(|_| *lock.lock() += 1);
        };
        if is_on_server {
            Node::new("S0").call(work);
        } else {
            work();
        }
    });
    outcome.result.expect("nothing fails");
    outcome.virtual_time
}

#[test]
fn stalls_hit_servers_only_and_only_under_their_policy() {
    let undisturbed = Duration::from_millis(5)..Duration::from_millis(6);
    for policy in Policy::ALL {
        assert!(undisturbed.contains(&time_of_operations(policy, false)), "{policy}");
        let on_server = time_of_operations(policy, true);
        assert_eq!(undisturbed.contains(&on_server), policy != Policy::Stall, "{policy}");
    }
}

#[test]
fn every_policy_is_fair_to_a_task_that_yields() {
    for policy in Policy::ALL {
        let outcome = Simulation::new(1).policy(policy).run(|| {
            let done = spawn(|| sleep(Duration::from_micros(1)));
            while !done.is_finished() {
                yield_now();
            }
        });
        assert!(outcome.result.is_ok(), "{policy}");
    }
}
