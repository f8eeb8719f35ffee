//! A channel inside a simulation.
//!
//! One rule keeps messages from being forgotten: a task that is woken for a message may not take
//! it (it was killed, or a selection chose another channel), and must then wake the next
//! receiver. A receiver that is woken for nothing just waits again.

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::Mutex;

use super::{RecvTimeoutError, SendError, TryRecvError, TrySendError};
use crate::runtime::core::Core;
use crate::runtime::escape::{self, RunNumber};
use crate::runtime::poison::unpoisoned;
use crate::runtime::task::{Wait, Waiter};
use crate::runtime::time::Instant;

/// What the two ends of a channel share. No task is ever stopped while it has this lock.
pub(super) struct Shared<T> {
    state: Mutex<State<T>>,
    /// The simulation that it belongs to.
    run: RunNumber,
}

/// What the lock guards.
struct State<T> {
    /// How many messages fit; `None` for any number.
    capacity: Option<usize>,
    messages: VecDeque<T>,
    /// Sends that wait, longest first.
    sends: VecDeque<WaitingSend<T>>,
    /// Receivers that wait, longest first. Some may have stopped waiting.
    receivers_waiting: VecDeque<Waiter>,
    senders: usize,
    receivers: usize,
    next_ticket: u64,
}

/// A send that waits for room, or for a receiver.
struct WaitingSend<T> {
    ticket: u64,
    message: T,
    waiter: Waiter,
}

impl<T> Shared<T> {
    /// An empty channel with one sender and one receiver.
    pub(super) fn new(capacity: Option<usize>, run: RunNumber) -> Self {
        let state = State {
            capacity,
            messages: VecDeque::new(),
            sends: VecDeque::new(),
            receivers_waiting: VecDeque::new(),
            senders: 1,
            receivers: 1,
            next_ticket: 0,
        };
        Self { state: Mutex::new(state), run }
    }

    /// A thread of no simulation uses the channel.
    pub(super) fn touched(&self, site: &'static Location<'static>) {
        escape::touched(self.run, "a channel", site);
    }

    /// Sends, and waits if there is no room. A dead task's message goes nowhere, without an error:
    /// a destructor that insists on success would otherwise end the process.
    pub(super) fn send(
        &self,
        core: &Core,
        message: T,
        site: &'static Location<'static>,
    ) -> Result<(), SendError<T>> {
        if !core.enter() {
            return Ok(());
        }
        let (ticket, waiter) = {
            let mut state = self.state();
            if state.receivers == 0 {
                return Err(SendError(message));
            }
            if state.has_room() {
                state.put(core, message);
                return Ok(());
            }
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            let waiter = core.waiter();
            state.sends.push_back(WaitingSend { ticket, message, waiter });
            state.wake_receiver(core);
            (ticket, waiter)
        };
        let withdraw = Withdraw { shared: self, ticket };
        core.wait(waiter, Wait::Send, site, None);
        // Still there: it was not a receiver that ended the wait, but the end of all receivers.
        match withdraw.take() {
            Some(message) => Err(SendError(message)),
            None => Ok(()),
        }
    }

    /// Sends if that needs no wait.
    pub(super) fn try_send(&self, core: &Core, message: T) -> Result<(), TrySendError<T>> {
        if !core.enter() {
            return Ok(());
        }
        let mut state = self.state();
        if state.receivers == 0 {
            return Err(TrySendError::Disconnected(message));
        }
        if state.has_room() {
            state.put(core, message);
            return Ok(());
        }
        // A rendezvous: the message goes straight to a receiver that waits, if there is one.
        let is_met = state.capacity == Some(0) && state.messages.is_empty();
        if is_met && state.wake_receiver(core) {
            state.messages.push_back(message);
            return Ok(());
        }
        Err(TrySendError::Full(message))
    }

    /// Waits for a message until `deadline`.
    pub(super) fn receive(
        &self,
        core: &Core,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<T, RecvTimeoutError> {
        if !core.enter() {
            return Err(RecvTimeoutError::Disconnected);
        }
        loop {
            let waiter = {
                let mut state = self.state();
                if let Some(message) = state.take(core) {
                    return Ok(message);
                }
                if state.senders == 0 {
                    return Err(RecvTimeoutError::Disconnected);
                }
                let waiter = core.waiter();
                state.receivers_waiting.push_back(waiter);
                waiter
            };
            let registration = Registration { shared: self, core, waiter };
            let woken = core.wait(waiter, Wait::Recv, site, deadline.map(Instant::as_nanos));
            drop(registration);
            if !woken {
                return Err(RecvTimeoutError::Timeout);
            }
        }
    }

    /// Takes a message if there is one.
    pub(super) fn try_receive(&self, core: &Core) -> Result<T, TryRecvError> {
        if !core.enter() {
            return Err(TryRecvError::Disconnected);
        }
        let mut state = self.state();
        match state.take(core) {
            Some(message) => Ok(message),
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Whether `try_receive` would say anything but "empty".
    pub(super) fn is_ready(&self) -> bool {
        let state = self.state();
        state.has_message() || state.senders == 0
    }

    /// Wakes this waiter too when the channel becomes ready.
    pub(super) fn add_waiter(&self, waiter: Waiter) {
        self.state().receivers_waiting.push_back(waiter);
    }

    /// Forgets a waiter.
    pub(super) fn remove_waiter(&self, waiter: Waiter) {
        self.state().receivers_waiting.retain(|&other| other != waiter);
    }

    /// Wakes a receiver if there is a message that the caller was woken for and will not take.
    pub(super) fn pass_on(&self, core: &Core) {
        self.state().pass_on(core);
    }

    /// Counts another sender.
    pub(super) fn add_sender(&self) {
        self.state().senders += 1;
    }

    /// Counts another receiver.
    pub(super) fn add_receiver(&self) {
        self.state().receivers += 1;
    }

    /// A sender is gone; with the last one, receivers need not wait any longer.
    pub(super) fn remove_sender(&self, core: Option<&Core>) {
        let mut state = self.state();
        state.senders -= 1;
        if state.senders == 0
            && let Some(core) = core
        {
            state.receivers_waiting.drain(..).for_each(|waiter| _ = core.wake(waiter));
        }
    }

    /// A receiver is gone; with the last one, senders need not wait any longer.
    pub(super) fn remove_receiver(&self, core: Option<&Core>) {
        let mut state = self.state();
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        if let Some(core) = core {
            state.sends.iter().for_each(|send| _ = core.wake(send.waiter));
        }
        // Messages without a receiver are dropped, but not under the lock.
        let messages = std::mem::take(&mut state.messages);
        drop(state);
        drop(messages);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State<T>> {
        unpoisoned(self.state.lock())
    }
}

impl<T> State<T> {
    /// Whether a message can be stored.
    fn has_room(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.messages.len() < capacity)
    }

    /// Whether a message can be taken.
    fn has_message(&self) -> bool {
        !self.messages.is_empty() || !self.sends.is_empty()
    }

    /// Stores a message and wakes a receiver.
    fn put(&mut self, core: &Core, message: T) {
        self.messages.push_back(message);
        self.wake_receiver(core);
    }

    /// Takes the oldest message, and lets the send that has waited longest go on.
    fn take(&mut self, core: &Core) -> Option<T> {
        let mut taken = self.messages.pop_front();
        if (taken.is_none() || self.has_room())
            && let Some(send) = self.sends.pop_front()
        {
            core.wake(send.waiter);
            match taken {
                None => taken = Some(send.message),
                Some(_) => self.messages.push_back(send.message),
            }
        }
        self.pass_on(core);
        taken
    }

    /// Wakes a receiver if there is a message for it.
    fn pass_on(&mut self, core: &Core) {
        if !self.receivers_waiting.is_empty() && self.has_message() {
            self.wake_receiver(core);
        }
    }

    /// Wakes the receiver that has waited longest; false if none waits.
    fn wake_receiver(&mut self, core: &Core) -> bool {
        while let Some(waiter) = self.receivers_waiting.pop_front() {
            if core.wake(waiter) {
                return true;
            }
        }
        false
    }
}

/// Takes a waiting send back when its task is killed: what a dead task says is not heard.
struct Withdraw<'a, T> {
    shared: &'a Shared<T>,
    ticket: u64,
}

impl<T> Withdraw<'_, T> {
    /// The message, unless a receiver has taken it.
    fn take(&self) -> Option<T> {
        let mut state = self.shared.state();
        let place = state.sends.iter().position(|send| send.ticket == self.ticket)?;
        state.sends.remove(place).map(|send| send.message)
    }
}

impl<T> Drop for Withdraw<'_, T> {
    fn drop(&mut self) {
        // The message may own anything; it must not be dropped under the lock.
        let message = self.take();
        drop(message);
    }
}

/// Ends the wait of a receiver, also when its task is killed.
struct Registration<'a, T> {
    shared: &'a Shared<T>,
    core: &'a Core,
    waiter: Waiter,
}

impl<T> Drop for Registration<'_, T> {
    fn drop(&mut self) {
        self.shared.remove_waiter(self.waiter);
        if self.core.is_dead() {
            self.shared.pass_on(self.core);
        }
    }
}
