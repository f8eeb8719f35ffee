//! Servers that are replaced, deleted, or crash.

use std::sync::Arc;
use std::time::Duration;

use labrpc::{Mutex, RpcError, Server, Service, sleep, spawn};

use crate::{TestNetwork, simulate, wait};

#[test]
fn restarted_server_is_reached_through_the_same_end() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        assert_eq!(wait(&end, 1), Ok(1));
        net.network.delete_server("S0");
        assert_eq!(wait(&end, 2), Err(RpcError::Lost));
        assert_eq!(net.network.server_rpcs("S0"), 0);
        net.boot("S0");
        assert_eq!(wait(&end, 3), Ok(3));
        assert_eq!(net.network.server_rpcs("S0"), 1, "a restarted server counts from zero");
        assert_eq!(net.network.server_rpcs("nobody"), 0);
    });
}

/// The identity of the server counts, not its name: no caller is told of success by a server that
/// has been replaced meanwhile.
#[test]
fn reply_of_a_replaced_server_is_refused() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let calling = end.clone();
        let call = spawn(move || wait(&calling, 40));
        sleep(Duration::from_millis(10));
        net.boot("S0");
        assert_eq!(call.join(), Ok(Err(RpcError::Lost)));
        assert_eq!(net.handled.load(), 1);
        assert_eq!(wait(&end, 0), Ok(0));
    });
}

#[test]
fn request_in_flight_at_a_restart_does_not_arrive() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let call = spawn(move || wait(&end, 0));
        sleep(Duration::from_micros(50));
        net.boot("S0");
        assert_eq!(call.join(), Ok(Err(RpcError::Lost)));
        assert_eq!(net.handled.load(), 0);
    });
}

/// Also if the network has not been told of the crash.
#[test]
fn crash_fails_calls_under_way_and_later_ones() {
    simulate(|| {
        let net = TestNetwork::new(&[]);
        let node = net.boot("S0");
        let end = net.end("client", "S0");
        let handled = end.clone();
        let (slow, travelling) = (end.clone(), end.clone());
        let slow = spawn(move || wait(&slow, 5_000));
        sleep(Duration::from_millis(30));
        let travelling = spawn(move || wait(&travelling, 0));
        sleep(Duration::from_micros(50));
        node.crash();
        assert_eq!(slow.join(), Ok(Err(RpcError::Lost)));
        assert_eq!(travelling.join(), Ok(Err(RpcError::Lost)));
        assert_eq!(wait(&handled, 0), Err(RpcError::Lost));
        assert_eq!(net.handled.load(), 1);
    });
}

/// What a replaced server owns is dropped by the task that replaces it, outside the network's lock.
#[test]
fn destructor_of_a_server_may_use_the_network() {
    struct OnDrop(labrpc::Network, Arc<Mutex<u32>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            sleep(Duration::from_millis(1));
            self.0.set_long_delays(true);
            *self.1.lock() += 1;
        }
    }
    let dropped = simulate(|| {
        let net = TestNetwork::new(&[]);
        let dropped = Arc::new(Mutex::new(0));
        for _ in 0..3 {
            let owned = OnDrop(net.network.clone(), Arc::clone(&dropped));
            let service = Service::new("Owner").method("Own", move |(): ()| _ = &owned);
            net.network.add_server("S0", Server::new().with(service));
        }
        net.network.delete_server("S0");
        assert!(net.network.has_long_delays());
        Arc::into_inner(dropped).expect("all servers are dropped").into_inner()
    });
    assert_eq!(dropped, 3);
}

/// The last handler that runs on a server that was deleted drops it.
#[test]
fn deleted_server_lives_until_its_last_handler_ends() {
    simulate(|| {
        let net = TestNetwork::new(&["S0"]);
        let end = net.end("client", "S0");
        let witness = Arc::clone(&net.handled);
        let before = Arc::strong_count(&witness);
        let call = spawn(move || wait(&end, 500));
        sleep(Duration::from_millis(10));
        net.network.delete_server("S0");
        assert_eq!(call.join(), Ok(Err(RpcError::Lost)));
        assert_eq!(Arc::strong_count(&witness), before);
        sleep(Duration::from_secs(2));
        assert_eq!(Arc::strong_count(&witness), before - 1);
    });
}
