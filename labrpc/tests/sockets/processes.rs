use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};

use labrpc::socket::{self, Address, Options};
use labrpc::{ClientEnd, RpcError};

use crate::fixture::{directory, server, wait_until};
use crate::itself;

/// Tells a process of [`serves_until_its_parent_is_gone`] where to listen.
const SOCKET: &str = "LABRPC_TEST_SOCKET";

/// A process that serves. It ends when its standard input does, so it cannot outlive the test.
struct Process(Child);

impl Process {
    fn start(socket: &Path) -> Self {
        let mut command = itself::command();
        command.args(["--exact", "processes::serves_until_its_parent_is_gone", "--ignored"]);
        command.env(SOCKET, socket).stdin(Stdio::piped()).stdout(Stdio::null());
        Self(command.spawn().expect("the test binary can be run again"))
    }

    fn kill(&mut self) {
        self.0.kill().expect("it is our child");
        self.0.wait().expect("it is our child");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok(); // It may be dead already.
        self.0.wait().ok();
    }
}

#[test]
#[ignore = "not a test: the other process of the tests in this file"]
fn serves_until_its_parent_is_gone() {
    let Some(path) = std::env::var_os(SOCKET) else { return };
    let address = Address::Unix(path.into());
    let _listener = socket::listen(&address, server(Default::default())).unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).ok();
}

/// Calls until the process answers.
fn wait_for_server(end: &ClientEnd) {
    wait_until("the process answers", || end.call::<_, u64>("Test.Count", &()).is_ok());
}

#[test]
fn a_killed_process_fails_its_calls_and_a_new_one_answers() {
    let directory = directory();
    let path = directory.path().join("socket");
    let end = socket::connect(&Address::Unix(path.clone()), Options::default());
    let mut process = Process::start(&path);
    wait_for_server(&end);
    let caller = {
        let end = end.clone();
        labrpc::spawn(move || end.call::<_, ()>("Test.Sleep", &30_000_u64))
    };
    wait_until("the next call is answered", || end.call::<_, u64>("Test.Count", &()).is_ok());
    process.kill();
    assert!(matches!(caller.join().unwrap(), Err(RpcError::Lost | RpcError::Unreachable)));
    assert!(path.exists(), "a killed server leaves its socket behind");
    let _second = Process::start(&path);
    wait_for_server(&end);
}
