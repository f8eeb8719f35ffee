//! Waiting for several channels at once.

use std::panic::Location;
use std::time::Duration;

use super::channel::{Receiver, Selectable};
use crate::runtime::core::Core;
use crate::runtime::real::run::{SLICE, check_over};
use crate::runtime::sys::current::dispatch;
use crate::runtime::task::{Wait, Waiter};
use crate::runtime::time::Instant;

/// Waits until one of several channels has a message or is closed.
///
/// ```
/// use labrpc::{Select, channel};
/// let (requests, incoming) = channel::<u32>();
/// let (_stop, stopped) = channel::<()>();
/// requests.send(7).unwrap();
///
/// let mut select = Select::new();
/// let request = select.recv(&incoming);
/// let stop = select.recv(&stopped);
/// match select.ready() {
///     ready if ready == request => assert_eq!(incoming.try_recv(), Ok(7)),
///     ready if ready == stop => unreachable!("nothing was sent to stop"),
///     _ => unreachable!("there are two channels"),
/// }
/// ```
#[derive(Default)]
pub struct Select<'a> {
    channels: Vec<&'a dyn Selectable>,
}

impl<'a> Select<'a> {
    /// Waits for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a channel; returns the number by which [`Select::ready`] names it.
    pub fn recv<T: Send>(&mut self, receiver: &'a Receiver<T>) -> usize {
        self.channels.push(receiver);
        self.channels.len() - 1
    }

    /// Waits until a channel is ready, that is, until `try_recv` on it would return a message or
    /// say that it is closed. Of several the first wins.
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        let site = Location::caller();
        loop {
            if let Some(ready) = self.ready_until(None, site) {
                return ready;
            }
        }
    }

    /// As [`Select::ready`], for `timeout` at most.
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Option<usize> {
        let site = Location::caller();
        self.ready_until(Some(Instant::now() + timeout), site)
    }

    /// Waits until a channel is ready or `deadline` has come.
    fn ready_until(
        &self,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Option<usize> {
        dispatch(|core| match core {
            Some(core) => self.ready_simulated(core, deadline, site),
            None => self.ready_real(deadline),
        })
    }

    /// [`Select::ready_until`] in a simulation.
    fn ready_simulated(
        &self,
        core: &Core,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Option<usize> {
        if !core.enter() {
            return Some(0); // The channel will say that it is closed.
        }
        let mut woken = false;
        loop {
            if let Some(ready) = self.channels.iter().position(|channel| channel.is_ready()) {
                if woken {
                    // It may have been another channel that woke this task.
                    let others = self.channels.iter().enumerate().filter(|(i, _)| *i != ready);
                    others.for_each(|(_, channel)| channel.pass_on(core));
                }
                return Some(ready);
            }
            let waiter = core.waiter();
            self.channels.iter().for_each(|channel| channel.add_waiter(waiter));
            let registration = Registration { channels: &self.channels, core, waiter };
            woken = core.wait(waiter, Wait::Select, site, deadline.map(Instant::as_nanos));
            drop(registration);
            if !woken {
                return None;
            }
        }
    }

    /// [`Select::ready_until`] on real threads.
    fn ready_real(&self, deadline: Option<Instant>) -> Option<usize> {
        loop {
            check_over();
            let left = deadline.map_or(SLICE, |deadline| (deadline - Instant::now()).min(SLICE));
            let mut select = crossbeam_channel::Select::new();
            for channel in &self.channels {
                channel.add_to(&mut select);
            }
            if let Ok(ready) = select.ready_timeout(left) {
                return Some(ready);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return None;
            }
        }
    }
}

/// Ends the wait of a selection, also when its task is killed.
struct Registration<'a> {
    channels: &'a [&'a dyn Selectable],
    core: &'a Core,
    waiter: Waiter,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.channels.iter().for_each(|channel| channel.remove_waiter(self.waiter));
        if self.core.is_dead() {
            self.channels.iter().for_each(|channel| channel.pass_on(self.core));
        }
    }
}
