//! Calls that arrive.

use labrpc::{run, spawn};

use crate::{JunkArgs, JunkReply, TestNetwork, handler2, reply2};

/// `TestBasic`: two handlers of one server can be called.
#[test]
fn basic_rpc() {
    run(|| {
        let end = TestNetwork::new().end("end1-99");
        assert_eq!(handler2(&end, 111), reply2(111));
        assert_eq!(end.call("JunkServer.Handler1", &"9099".to_string()), Ok(9_099_i64));
    });
}

/// `TestTypes`: arguments may be a pointer or not; the handler decides. In Rust a boxed value is
/// encoded as the value is, but the types must be the same all the same.
#[test]
fn types_of_arguments() {
    run(|| {
        let end = TestNetwork::new().end("end1-99");
        let reply = end.call::<_, JunkReply>("JunkServer.Handler4", &Box::new(JunkArgs { x: 1 }));
        assert_eq!(reply.map(|reply| reply.x), Ok("pointer 1".to_string()));
        let reply = end.call::<_, JunkReply>("JunkServer.Handler5", &JunkArgs { x: 2 });
        assert_eq!(reply.map(|reply| reply.x), Ok("no pointer 2".to_string()));
    });
}

/// `TestCounts`: the network counts what reaches a server.
#[test]
fn rpc_counts() {
    run(|| {
        let net = TestNetwork::new();
        let end = net.end("end1-99");
        (0..17).for_each(|n| assert_eq!(handler2(&end, n), reply2(n)));
        assert_eq!(net.network.server_rpcs("server"), 17);
        assert_eq!(net.network.total_rpcs(), 17);
    });
}

/// `TestBytes`: the network counts the bytes of arguments and of replies.
#[test]
fn rpc_bytes() {
    run(|| {
        let net = TestNetwork::new();
        let end = net.end("end1-99");
        let text = "x".repeat(71 * 4);
        for _ in 0..17 {
            assert_eq!(end.call("JunkServer.Handler6", &text), Ok(284_i64));
        }
        let sent = net.network.total_bytes();
        assert!((4_828..=6_000).contains(&sent), "{sent} bytes for 17 long arguments");
        for _ in 0..17 {
            let reply = end.call::<_, String>("JunkServer.Handler7", &107_i64);
            assert_eq!(reply.map(|reply| reply.len()), Ok(107));
        }
        let received = net.network.total_bytes() - sent;
        assert!((1_800..=2_500).contains(&received), "{received} bytes for 17 long replies");
    });
}

/// `TestConcurrentMany`: many clients, each with an end of its own.
#[test]
fn concurrent_rpcs_from_many_ends() {
    run(|| {
        let net = TestNetwork::new();
        let clients: Vec<_> = (0..20)
            .map(|i| {
                let end = net.end(&format!("end-{i}"));
                spawn(move || {
                    let calls = (0..10).map(|j| i * 100 + j);
                    calls.filter(|n| handler2(&end, *n) == reply2(*n)).count()
                })
            })
            .collect();
        let done: usize = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert_eq!(done, 200);
        assert_eq!(net.network.server_rpcs("server"), 200);
    });
}

/// `TestConcurrentOne`: many calls at once on one end.
#[test]
fn concurrent_rpcs_on_one_end() {
    run(|| {
        let net = TestNetwork::new();
        let end = net.end("end1-99");
        let calls: Vec<_> = (0..20)
            .map(|i| {
                let end = end.clone();
                spawn(move || assert_eq!(handler2(&end, 100 + i), reply2(100 + i)))
            })
            .collect();
        calls.into_iter().for_each(|call| call.join().unwrap());
        let mut log = net.log.lock().clone();
        log.sort_unstable();
        assert_eq!(log, (100..120).collect::<Vec<_>>());
        assert_eq!(net.network.server_rpcs("server"), 20);
    });
}

/// `TestBenchmark`: many calls in a row. Its figures are those of the benches; here all must be
/// answered.
#[test]
fn many_rpcs_in_a_row() {
    run(|| {
        let net = TestNetwork::new();
        let end = net.end("end1-99");
        (0..100_000).for_each(|_| assert_eq!(handler2(&end, 111), reply2(111)));
        assert_eq!(net.network.server_rpcs("server"), 100_000);
    });
}
