//! The server's side: a socket that accepts connections until it is shut down.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use super::address::Address;
use super::options::Limits;
use super::repeats::Repeats;
use super::session::{Served, Session};
use super::sessions::{Full, Sessions};
use super::stream::Stream;
use crate::runtime::port;
use crate::runtime::{JoinHandle, sleep, spawn};
use crate::server::Server;

/// How long to wait when the system has no descriptor for another connection.
const BREATH: Duration = Duration::from_millis(50);

/// A server that listens at an address. Dropping it shuts it down.
#[derive(Debug)]
pub struct Listener {
    address: Address,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
    /// The socket's file, to be removed.
    file: Option<SocketFile>,
}

/// What the tasks of a listener share.
#[derive(Debug)]
struct Shared {
    served: Arc<Served>,
    socket: Socket,
    sessions: Sessions,
}

impl Listener {
    /// Opens the socket and begins to serve.
    pub(crate) fn open(address: &Address, server: Server, limits: Limits) -> io::Result<Self> {
        assert!(
            !port::in_simulation(),
            "a server listens at {address} in a simulation's virtual time"
        );
        let (socket, file) = match address {
            Address::Unix(path) => {
                let _alone = lock_directory_of(path);
                remove_stale_socket(path)?;
                let socket = UnixListener::bind(path)?;
                (Socket::Unix(socket), Some(SocketFile::of(path)?))
            }
            Address::Tcp(host_and_port) => (Socket::Tcp(TcpListener::bind(host_and_port)?), None),
        };
        let address = match &socket {
            Socket::Unix(_) => address.clone(),
            Socket::Tcp(socket) => Address::Tcp(socket.local_addr()?.to_string()),
        };
        let shared = Arc::new(Shared {
            served: Arc::new(Served {
                server,
                limits,
                is_closing: AtomicBool::new(false),
                extra: AtomicUsize::new(0),
                log: Repeats::default(),
            }),
            socket,
            sessions: Sessions::default(),
        });
        let accepting = Arc::clone(&shared);
        let accepting = Some(spawn(move || accepting.accept_all()));
        Ok(Self { address, shared, accepting, file })
    }

    /// Where it listens; the port is the one that the system chose if 0 was asked for.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Stops: accepts no more connections and no more calls, waits for calls in flight, though not
    /// longer than [`Limits::grace`], closes the connections, and removes the socket's file.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.served.is_closing.store(true, Relaxed);
        let is_woken = self.shared.socket.wake(&self.address);
        if let Some(file) = &self.file {
            file.remove();
        }
        if is_woken && let Some(accepting) = self.accepting.take() {
            accepting.join().ok(); // It fails only if the run is over.
        }
        // Sessions keep to the grace by themselves; the factor is for a loaded machine.
        self.shared.sessions.end(self.shared.served.limits.grace * 2);
    }
}

impl Shared {
    /// Accepts connections until the listener is shut down.
    fn accept_all(self: &Arc<Self>) {
        for number in 1.. {
            let accepted = self.socket.accept();
            if self.is_closing() {
                return;
            }
            match accepted {
                Ok(stream) => self.start_session(number, stream),
                Err(error) => {
                    self.served.log.warn("accept", format_args!("cannot accept: {error}"));
                    self.sessions.close_one(); // What is missing may be a descriptor.
                    sleep(BREATH);
                }
            }
        }
    }

    /// Serves a new connection in a task of its own, unless there are too many.
    fn start_session(self: &Arc<Self>, number: u64, stream: Stream) {
        let session = Arc::new(Session::new(number, stream));
        let log = &self.served.log;
        match self.sessions.add(&session, self.served.limits.max_connections) {
            Ok(None) => {}
            Ok(Some(closed)) => log.warn(
                "make room",
                format_args!("closed connection {closed}: it was idle, and there are too many"),
            ),
            Err(Full) => {
                let reason = "there are too many, and all are at work";
                log.warn("full", format_args!("closed connection {number}: {reason}"));
                return session.close();
            }
        }
        let shared = Arc::clone(self);
        spawn(move || {
            session.serve(&shared.served);
            shared.sessions.remove(&session);
        });
    }

    /// Whether the listener is being shut down.
    fn is_closing(&self) -> bool {
        self.served.is_closing.load(Relaxed)
    }
}

/// A socket that accepts connections.
#[derive(Debug)]
enum Socket {
    /// On a path.
    Unix(UnixListener),
    /// On a port.
    Tcp(TcpListener),
}

impl Socket {
    /// Waits for a connection.
    fn accept(&self) -> io::Result<Stream> {
        match self {
            Socket::Unix(socket) => socket.accept().map(|(stream, _)| Stream::Unix(stream)),
            Socket::Tcp(socket) => Stream::of_tcp(socket.accept()?.0),
        }
    }

    /// Ends a wait for a connection. Linux does so when the socket is shut down, which the standard
    /// library offers for streams only; elsewhere a connection of our own does it. False if neither
    /// can be done, because the socket's file was removed: the wait goes on, and does no harm.
    fn wake(&self, address: &Address) -> bool {
        let shut_down = match self {
            Socket::Unix(socket) => socket.try_clone().and_then(|socket| {
                UnixStream::from(OwnedFd::from(socket)).shutdown(std::net::Shutdown::Both)
            }),
            Socket::Tcp(socket) => socket.try_clone().and_then(|socket| {
                TcpStream::from(OwnedFd::from(socket)).shutdown(std::net::Shutdown::Both)
            }),
        };
        shut_down.is_ok() || Stream::dial(address, BREATH).is_ok()
    }
}

/// The file of a Unix-domain socket.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and inode: another server may have put its own file there meanwhile.
    identity: (u64, u64),
}

impl SocketFile {
    /// The file that was just made at `path`.
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        Ok(Self { path: path.into(), identity: (metadata.dev(), metadata.ino()) })
    }

    /// Removes it if it is still ours.
    fn remove(&self) {
        if SocketFile::of(&self.path).is_ok_and(|file| file.identity == self.identity) {
            fs::remove_file(&self.path).ok(); // Another process may have removed it.
        }
    }
}

/// Keeps others from opening a socket in the same directory as long as the result lives. Between
/// `bind` and `listen` a socket refuses calls as if its owner were dead, and would be taken for
/// stale. Where directories cannot be locked, two that start at the same moment are not told apart.
fn lock_directory_of(path: &Path) -> Option<File> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = File::open(parent.unwrap_or(Path::new("."))).ok()?;
    directory.lock().ok()?;
    Some(directory)
}

/// Removes the socket of a server that died. One that still answers is left alone.
fn remove_stale_socket(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    if !is_socket {
        return Ok(()); // If something else is there, binding will say so.
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        Ok(_) => Err(io::Error::new(ErrorKind::AddrInUse, "another server listens there")),
        Err(error) => Err(error),
    }
}
