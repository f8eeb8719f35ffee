//! A server behind a slow link catches up: what it lacks is sent no faster than it arrives.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use labrpc::socket::{self, Address, Listener, Options};
use labrpc::{ClientEnd, Disk, Instant, Server, sleep, spawn};
use pbservice::{Clerk, Config, PbServer, SNAPSHOT_EVERY};

/// Bytes of a value.
const VALUE: u64 = 250_000;

/// 20 MB over 16 Mbit/s: each piece arrives before its time is over.
#[test]
fn much_over_a_slow_link() {
    check_catch_up(80, 2_000_000, SNAPSHOT_EVERY, None);
}

/// 2 MB over 1 Mbit/s: the first pieces are taken for lost before they have arrived.
#[test]
fn some_over_a_very_slow_link() {
    check_catch_up(8, 125_000, SNAPSHOT_EVERY, None);
}

/// A snapshot of 20 MB over the first link: longer than one message may be, and may take.
#[test]
fn long_snapshot_over_a_slow_link() {
    check_catch_up(80, 2_000_000, 10, None);
}

/// If the answer to the last piece of a snapshot is lost, only that piece is sent again.
#[test]
fn lost_answer_to_the_last_piece() {
    let sent = check_catch_up(24, 20_000_000, 5, Some(24 * VALUE));
    assert!(sent < 24 * VALUE * 4 / 3, "{sent} bytes were sent for {}", 24 * VALUE);
}

/// The third of three servers starts when the others have these values, and gets them over a link
/// with this speed in bytes per second, which may break once. Returns the number of bytes that took.
fn check_catch_up(values: u64, speed: u64, snapshot_every: u64, breaks_after: Option<u64>) -> u64 {
    let ports: Vec<TcpListener> =
        (0..3).map(|_| TcpListener::bind("127.0.0.1:0").expect("there is a free port")).collect();
    let addresses: Vec<SocketAddr> =
        ports.iter().map(|port| port.local_addr().expect("it is bound")).collect();
    drop(ports);
    let link = SlowLink::to(addresses[2], speed, breaks_after);
    let start = |server: usize| {
        let end = |&to: &SocketAddr| {
            let is_slow = server != 2 && to == addresses[2];
            (to, end(if is_slow { link.address } else { to }))
        };
        let peers = addresses.iter().map(end).collect();
        start(addresses[server], peers, snapshot_every)
    };
    let (first, second) = (start(0), start(1));
    let mut clerk = Clerk::new(addresses.iter().map(|&address| (address, end(address))).collect());
    let value = "v".repeat(VALUE as usize);
    (0..values).for_each(|key| clerk.put(&key.to_string(), &value));
    // By then the third counts as dead. Before, the primary might have begun to send it a snapshot
    // of fewer values, and would have to send all of them once more.
    sleep(Duration::from_secs(2));

    let (sent, began) = (link.sent.load(Relaxed), Instant::now());
    let third = start(2);
    let bytes = values * VALUE;
    let limit = Duration::from_secs((3 * bytes / speed).max(20));
    let await_equal_versions = || {
        while third.0.status().version != first.0.status().version {
            let took = began.elapsed();
            assert!(took < limit, "{bytes} bytes have not come in {took:?}");
            sleep(Duration::from_millis(20));
        }
    };
    await_equal_versions();
    clerk.put("last", ""); // It is sent when the answer to all before it has come.
    await_equal_versions();
    let sent = link.sent.load(Relaxed) - sent;
    println!("{bytes} bytes came in {:?}, {sent} were sent", began.elapsed());
    assert!(sent < 2 * bytes, "{sent} bytes were sent for {bytes} that were missing");
    assert_eq!(link.breaks_after.load(Relaxed), u64::MAX, "the link breaks if it is to break");
    for (server, listener) in [first, second, third] {
        server.stop();
        listener.shutdown();
    }
    sent
}

/// A way to an address.
fn end(address: SocketAddr) -> ClientEnd {
    socket::connect(&Address::Tcp(address.to_string()), Options::default())
}

/// Starts a server, with a disk in memory.
fn start(
    address: SocketAddr,
    peers: BTreeMap<SocketAddr, ClientEnd>,
    snapshot_every: u64,
) -> (PbServer, Listener) {
    let config = Config { address, peers, snapshot_every, is_new: true };
    let server = PbServer::start(config, Disk::new()).expect("the disk is new");
    let services = Server::new().with(server.service());
    let listener = socket::listen(&Address::Tcp(address.to_string()), services);
    (server, listener.expect("the port was free"))
}

/// A link with a limited speed in one direction.
struct SlowLink {
    address: SocketAddr,
    /// Bytes that it has carried.
    sent: Arc<AtomicU64>,
    /// It breaks after this number of bytes; `u64::MAX` if it has broken, or never will.
    breaks_after: Arc<AtomicU64>,
}

impl SlowLink {
    /// A link to a server, which carries this number of bytes in a second. If `breaks_after` is
    /// given, it breaks once: instead of the first answer after that number of bytes.
    fn to(server: SocketAddr, speed: u64, breaks_after: Option<u64>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let address = listener.local_addr().expect("it is bound");
        let sent = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&sent);
        let breaks_after = Arc::new(AtomicU64::new(breaks_after.unwrap_or(u64::MAX)));
        let limit = Arc::clone(&breaks_after);
        spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(server) else { continue };
                let (from, to) = (near.try_clone(), far.try_clone());
                let (carried, breaks_after) = (Arc::clone(&counter), Arc::clone(&limit));
                if let (Ok(near), Ok(far)) = (from, to) {
                    spawn(move || {
                        carry(far, near, |_| {
                            let is_broken = carried.load(Relaxed) >= breaks_after.load(Relaxed);
                            if is_broken {
                                breaks_after.store(u64::MAX, Relaxed);
                            }
                            !is_broken
                        });
                    });
                }
                let counter = Arc::clone(&counter);
                spawn(move || {
                    carry(near, far, |length| {
                        sleep(Duration::from_secs_f64(length as f64 / speed as f64));
                        counter.fetch_add(length as u64, Relaxed);
                        true
                    });
                });
            }
        });
        Self { address, sent, breaks_after }
    }
}

/// Carries bytes until one side ends, or `passes` refuses the next ones, of which it gets the number.
fn carry(mut from: TcpStream, mut to: TcpStream, passes: impl Fn(usize) -> bool) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !passes(length) || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    from.shutdown(Shutdown::Both).ok(); // It may be closed.
    to.shutdown(Shutdown::Both).ok();
}
