//! Channels: unbounded, bounded, and rendezvous, where a send waits for its receiver.

mod error;
mod simulated;

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel as real;

pub use self::error::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use self::simulated::Shared;
use crate::runtime::core::Core;
use crate::runtime::real::run::{SLICE, check_over};
use crate::runtime::sys::current::{dispatch, in_simulation, this_run};
use crate::runtime::task::Waiter;
use crate::runtime::time::Instant;

/// An unbounded channel: a send never waits.
///
/// ```
/// let (sender, receiver) = labrpc::channel();
/// sender.send(7).unwrap();
/// drop(sender);
/// assert_eq!(receiver.recv(), Ok(7));
/// assert_eq!(receiver.recv(), Err(labrpc::RecvError));
/// ```
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
        let shared = Arc::new(Shared::new(capacity, this_run()));
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
    Sim(Arc<Shared<T>>),
    Real(real::Sender<T>),
}

/// A receiver in one of the two worlds.
enum ReceiverKind<T> {
    Sim(Arc<Shared<T>>),
    Real(real::Receiver<T>),
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
            SenderKind::Sim(shared) => dispatch(|core| match core {
                Some(core) => shared.send(core, message, site),
                None => {
                    shared.touched(site);
                    Err(SendError(message)) // The simulation is over.
                }
            }),
            SenderKind::Real(sender) => send_real(sender, message),
        }
    }

    /// Sends a message if that needs no wait.
    ///
    /// # Errors
    /// If the channel is full or every receiver is gone.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let site = Location::caller();
        match &self.0 {
            SenderKind::Sim(shared) => dispatch(|core| match core {
                Some(core) => shared.try_send(core, message),
                None => {
                    shared.touched(site);
                    Err(TrySendError::Disconnected(message)) // The simulation is over.
                }
            }),
            SenderKind::Real(sender) => {
                check_over();
                sender.try_send(message).map_err(|error| match error {
                    real::TrySendError::Full(message) => TrySendError::Full(message),
                    real::TrySendError::Disconnected(message) => {
                        TrySendError::Disconnected(message)
                    }
                })
            }
        }
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
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let site = Location::caller();
        match &self.0 {
            ReceiverKind::Sim(shared) => dispatch(|core| match core {
                Some(core) => shared.try_receive(core),
                None => {
                    shared.touched(site);
                    Err(TryRecvError::Disconnected) // The simulation is over.
                }
            }),
            ReceiverKind::Real(receiver) => {
                check_over();
                receiver.try_recv().map_err(|error| match error {
                    real::TryRecvError::Empty => TryRecvError::Empty,
                    real::TryRecvError::Disconnected => TryRecvError::Disconnected,
                })
            }
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
            ReceiverKind::Sim(shared) => dispatch(|core| match core {
                Some(core) => shared.receive(core, deadline, site),
                None => {
                    shared.touched(site);
                    Err(RecvTimeoutError::Disconnected) // The simulation is over.
                }
            }),
            ReceiverKind::Real(receiver) => receive_real(receiver, deadline),
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

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            SenderKind::Sim(shared) => {
                shared.add_sender();
                SenderKind::Sim(Arc::clone(shared))
            }
            SenderKind::Real(sender) => SenderKind::Real(sender.clone()),
        })
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self(match &self.0 {
            ReceiverKind::Sim(shared) => {
                shared.add_receiver();
                ReceiverKind::Sim(Arc::clone(shared))
            }
            ReceiverKind::Real(receiver) => ReceiverKind::Real(receiver.clone()),
        })
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let SenderKind::Sim(shared) = &self.0 {
            dispatch(|core| shared.remove_sender(core));
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let ReceiverKind::Sim(shared) = &self.0 {
            dispatch(|core| shared.remove_receiver(core));
        }
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
    /// Wakes another receiver if there is a message that the selection will not take.
    fn pass_on(&self, core: &Core);
    /// Adds the receiver to a selection on real threads.
    fn add_to<'a>(&'a self, select: &mut real::Select<'a>);
}

impl<T: Send> Selectable for Receiver<T> {
    fn is_ready(&self) -> bool {
        match &self.0 {
            ReceiverKind::Sim(shared) => shared.is_ready(),
            ReceiverKind::Real(receiver) => !receiver.is_empty(),
        }
    }

    fn add_waiter(&self, waiter: Waiter) {
        if let ReceiverKind::Sim(shared) = &self.0 {
            shared.add_waiter(waiter);
        }
    }

    fn remove_waiter(&self, waiter: Waiter) {
        if let ReceiverKind::Sim(shared) = &self.0 {
            shared.remove_waiter(waiter);
        }
    }

    fn pass_on(&self, core: &Core) {
        if let ReceiverKind::Sim(shared) = &self.0 {
            shared.pass_on(core);
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
