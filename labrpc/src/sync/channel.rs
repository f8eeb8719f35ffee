//! Channels: unbounded, bounded, and rendezvous, where a send waits for its receiver.

use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam::channel as real;

use crate::runtime::{Core, Instant, SLICE, Wait, Waiter, check_over, dispatch, in_simulation};

/// An unbounded channel: a send never waits.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    new(None)
}

/// A channel that holds up to `capacity` messages; a send waits while it is full.
pub fn bounded<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    new(Some(capacity))
}

/// A channel that holds nothing: a send waits until a receiver takes the message. Like an
/// unbuffered channel of Go.
pub fn rendezvous<T>() -> (Sender<T>, Receiver<T>) {
    new(Some(0))
}

/// A channel of the world that this thread belongs to.
fn new<T>(capacity: Option<usize>) -> (Sender<T>, Receiver<T>) {
    if in_simulation() {
        let state = State {
            capacity,
            messages: VecDeque::new(),
            sends: VecDeque::new(),
            receivers_waiting: VecDeque::new(),
            senders: 1,
            receivers: 1,
            next_ticket: 0,
        };
        let shared = Arc::new(Mutex::new(state));
        (Sender(SenderKind::Sim(Arc::clone(&shared))), Receiver(ReceiverKind::Sim(shared)))
    } else {
        let (sender, receiver) = match capacity {
            Some(capacity) => real::bounded(capacity),
            None => real::unbounded(),
        };
        (Sender(SenderKind::Real(sender)), Receiver(ReceiverKind::Real(receiver)))
    }
}

/// The end of a channel that messages go into. Clones send into the same channel.
pub struct Sender<T>(SenderKind<T>);

/// The end of a channel that messages come out of. Of several clones, one gets each message.
pub struct Receiver<T>(ReceiverKind<T>);

/// A sender in one of the two worlds.
enum SenderKind<T> {
    Sim(Arc<Mutex<State<T>>>),
    Real(real::Sender<T>),
}

/// A receiver in one of the two worlds.
enum ReceiverKind<T> {
    Sim(Arc<Mutex<State<T>>>),
    Real(real::Receiver<T>),
}

/// A simulated channel.
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

/// The message could not be sent since every receiver is gone; here it is back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why [`Sender::try_send`] did not send; the message comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// There is no room, or no receiver waits.
    Full(T),
    /// Every receiver is gone.
    Disconnected(T),
}

/// There is no message and there will be none: every sender is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecvError;

/// Why [`Receiver::try_recv`] has no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is none now.
    Empty,
    /// There will be none: every sender is gone.
    Disconnected,
}

/// Why [`Receiver::recv_timeout`] has no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecvTimeoutError {
    /// None came in time.
    Timeout,
    /// There will be none: every sender is gone.
    Disconnected,
}

impl<T> Sender<T> {
    /// Sends a message, and waits if the channel is full.
    ///
    /// # Errors
    /// If every receiver is gone.
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        let site = Location::caller();
        match &self.0 {
            SenderKind::Sim(state) => dispatch(|core| match core {
                Some(core) => send(core, state, message, site),
                None => Err(SendError(message)), // The simulation is over.
            }),
            SenderKind::Real(sender) => send_real(sender, message),
        }
    }

    /// Sends a message if that needs no wait.
    ///
    /// # Errors
    /// If the channel is full or every receiver is gone.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let state = match &self.0 {
            SenderKind::Sim(state) => state,
            SenderKind::Real(sender) => {
                return sender.try_send(message).map_err(|error| match error {
                    real::TrySendError::Full(message) => TrySendError::Full(message),
                    real::TrySendError::Disconnected(message) => {
                        TrySendError::Disconnected(message)
                    }
                });
            }
        };
        dispatch(|core| {
            let Some(core) = core.filter(|core| core.enter()) else {
                return Err(TrySendError::Disconnected(message));
            };
            let mut state = lock(state);
            if state.receivers == 0 {
                Err(TrySendError::Disconnected(message))
            } else if state.has_room() {
                state.put(core, message);
                Ok(())
            } else if state.capacity == Some(0) && state.messages.is_empty() {
                // Goes straight to a receiver that waits, if there is one.
                match state.wake_receiver(core) {
                    true => {
                        state.messages.push_back(message);
                        Ok(())
                    }
                    false => Err(TrySendError::Full(message)),
                }
            } else {
                Err(TrySendError::Full(message))
            }
        })
    }
}

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    /// If there is none and every sender is gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        let site = Location::caller();
        loop {
            match self.recv_until(None, site) {
                Ok(message) => return Ok(message),
                Err(RecvTimeoutError::Disconnected) => return Err(RecvError),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Waits for a message, for `timeout` at most.
    ///
    /// # Errors
    /// If none came in time, or if there is none and every sender is gone.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let site = Location::caller();
        self.recv_until(Some(Instant::now() + timeout), site)
    }

    /// Takes a message if there is one.
    ///
    /// # Errors
    /// If there is none.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match &self.0 {
            ReceiverKind::Sim(state) => dispatch(|core| {
                let Some(core) = core.filter(|core| core.enter()) else {
                    return Err(TryRecvError::Disconnected);
                };
                let mut state = lock(state);
                match state.take(core) {
                    Some(message) => Ok(message),
                    None if state.senders == 0 => Err(TryRecvError::Disconnected),
                    None => Err(TryRecvError::Empty),
                }
            }),
            ReceiverKind::Real(receiver) => receiver.try_recv().map_err(|error| match error {
                real::TryRecvError::Empty => TryRecvError::Empty,
                real::TryRecvError::Disconnected => TryRecvError::Disconnected,
            }),
        }
    }

    /// The messages, until every sender is gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter(self)
    }

    /// Waits for a message until `deadline`.
    fn recv_until(
        &self,
        deadline: Option<Instant>,
        site: &'static Location<'static>,
    ) -> Result<T, RecvTimeoutError> {
        match &self.0 {
            ReceiverKind::Sim(state) => dispatch(|core| match core {
                Some(core) => receive(core, state, deadline, site),
                None => Err(RecvTimeoutError::Disconnected), // The simulation is over.
            }),
            ReceiverKind::Real(receiver) => receive_real(receiver, deadline),
        }
    }
}

/// Sends in a simulation.
fn send<T>(
    core: &Core,
    shared: &Mutex<State<T>>,
    message: T,
    site: &'static Location<'static>,
) -> Result<(), SendError<T>> {
    if !core.enter() {
        return Err(SendError(message));
    }
    let (ticket, waiter) = {
        let mut state = lock(shared);
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
    let withdraw = Withdraw { shared, ticket };
    core.wait(waiter, Wait::Send, site, None);
    // Still there: it was not a receiver that ended the wait, but the end of all receivers.
    match withdraw.take() {
        Some(message) => Err(SendError(message)),
        None => Ok(()),
    }
}

/// Takes a waiting send back when its task is killed: what a dead task says is not heard.
struct Withdraw<'a, T> {
    shared: &'a Mutex<State<T>>,
    ticket: u64,
}

impl<T> Withdraw<'_, T> {
    /// The message, unless a receiver has taken it.
    fn take(&self) -> Option<T> {
        let mut state = lock(self.shared);
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

/// Receives in a simulation.
fn receive<T>(
    core: &Core,
    shared: &Mutex<State<T>>,
    deadline: Option<Instant>,
    site: &'static Location<'static>,
) -> Result<T, RecvTimeoutError> {
    if !core.enter() {
        return Err(RecvTimeoutError::Disconnected);
    }
    loop {
        let waiter = {
            let mut state = lock(shared);
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
        if !core.wait(waiter, Wait::Recv, site, deadline.map(Instant::as_nanos)) {
            lock(shared).receivers_waiting.retain(|&other| other != waiter);
            return Err(RecvTimeoutError::Timeout);
        }
    }
}

/// Sends on real threads, in slices.
fn send_real<T>(sender: &real::Sender<T>, mut message: T) -> Result<(), SendError<T>> {
    loop {
        check_over();
        message = match sender.send_timeout(message, SLICE) {
            Ok(()) => return Ok(()),
            Err(real::SendTimeoutError::Timeout(message)) => message,
            Err(real::SendTimeoutError::Disconnected(message)) => return Err(SendError(message)),
        }
    }
}

/// Receives on real threads, in slices; without a deadline the end of one counts as a time-out.
fn receive_real<T>(
    receiver: &real::Receiver<T>,
    deadline: Option<Instant>,
) -> Result<T, RecvTimeoutError> {
    loop {
        check_over();
        let left = deadline.map_or(SLICE, |deadline| (deadline - Instant::now()).min(SLICE));
        match receiver.recv_timeout(left) {
            Ok(message) => return Ok(message),
            Err(real::RecvTimeoutError::Disconnected) => {
                return Err(RecvTimeoutError::Disconnected);
            }
            Err(real::RecvTimeoutError::Timeout) => {
                if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
                    return Err(RecvTimeoutError::Timeout);
                }
            }
        }
    }
}

impl<T> State<T> {
    /// Whether a message can be stored.
    fn has_room(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.messages.len() < capacity)
    }

    /// Stores a message and wakes a receiver.
    fn put(&mut self, core: &Core, message: T) {
        self.messages.push_back(message);
        self.wake_receiver(core);
    }

    /// Takes the oldest message, and lets the send that has waited longest go on.
    fn take(&mut self, core: &Core) -> Option<T> {
        let stored = self.messages.pop_front();
        if stored.is_some() && !self.has_room() {
            return stored;
        }
        let Some(send) = self.sends.pop_front() else { return stored };
        core.wake(send.waiter);
        if stored.is_some() {
            self.messages.push_back(send.message);
            return stored;
        }
        Some(send.message)
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

/// The state of a simulated channel; no task is ever stopped while it has this lock.
fn lock<T>(shared: &Mutex<State<T>>) -> std::sync::MutexGuard<'_, State<T>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            SenderKind::Sim(state) => {
                lock(state).senders += 1;
                SenderKind::Sim(Arc::clone(state))
            }
            SenderKind::Real(sender) => SenderKind::Real(sender.clone()),
        })
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            ReceiverKind::Sim(state) => {
                lock(state).receivers += 1;
                ReceiverKind::Sim(Arc::clone(state))
            }
            ReceiverKind::Real(receiver) => ReceiverKind::Real(receiver.clone()),
        })
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let SenderKind::Sim(shared) = &self.0 else { return };
        let mut state = lock(shared);
        state.senders -= 1;
        if state.senders == 0 {
            dispatch(|core| {
                let Some(core) = core else { return };
                state.receivers_waiting.drain(..).for_each(|waiter| _ = core.wake(waiter));
            });
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let ReceiverKind::Sim(shared) = &self.0 else { return };
        let mut state = lock(shared);
        state.receivers -= 1;
        if state.receivers > 0 {
            return;
        }
        dispatch(|core| {
            let Some(core) = core else { return };
            state.sends.iter().for_each(|send| _ = core.wake(send.waiter));
        });
        // What nobody can receive any more is dropped, but not under the lock.
        let messages = std::mem::take(&mut state.messages);
        drop(state);
        drop(messages);
    }
}

/// What [`Receiver::iter`] returns.
#[derive(Debug)]
pub struct Iter<'a, T>(&'a Receiver<T>);

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

/// The messages of a receiver that the loop owns.
#[derive(Debug)]
pub struct IntoIter<T>(Receiver<T>);

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.0.recv().ok()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// What [`Select`](super::Select) needs of a receiver, whatever its messages are.
pub(super) trait Selectable {
    /// Whether `try_recv` would say anything but "empty".
    fn is_ready(&self) -> bool;
    /// Wakes this waiter too when that changes.
    fn add_waiter(&self, waiter: Waiter);
    /// Forgets a waiter.
    fn remove_waiter(&self, waiter: Waiter);
    /// Adds the receiver to a selection on real threads.
    fn add_to<'a>(&'a self, select: &mut real::Select<'a>);
}

impl<T: Send> Selectable for Receiver<T> {
    fn is_ready(&self) -> bool {
        match &self.0 {
            ReceiverKind::Sim(state) => {
                let state = lock(state);
                !state.messages.is_empty() || !state.sends.is_empty() || state.senders == 0
            }
            ReceiverKind::Real(receiver) => !receiver.is_empty(),
        }
    }

    fn add_waiter(&self, waiter: Waiter) {
        if let ReceiverKind::Sim(state) = &self.0 {
            lock(state).receivers_waiting.push_back(waiter);
        }
    }

    fn remove_waiter(&self, waiter: Waiter) {
        if let ReceiverKind::Sim(state) = &self.0 {
            lock(state).receivers_waiting.retain(|&other| other != waiter);
        }
    }

    fn add_to<'a>(&'a self, select: &mut real::Select<'a>) {
        if let ReceiverKind::Real(receiver) = &self.0 {
            select.recv(receiver);
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver")
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError")
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => "Full",
            TrySendError::Disconnected(_) => "Disconnected",
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("every receiver of the channel is gone")
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("every sender of the channel is gone")
    }
}

impl<T> std::error::Error for SendError<T> {}
impl std::error::Error for RecvError {}
