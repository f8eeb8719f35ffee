//! The memory cap as the operating system sees it. A program of its own, so that no other test
//! allocates meanwhile.

use linearizability::{
    CasRegister, CheckResult, Limits, Operation, RegisterInput, RegisterOutput, check,
};

/// The cap.
const CAP: usize = 32 << 20;

/// What the process may use besides: the history, the allocator's own, unused parts of pages.
const SLACK: usize = 8 << 20;

/// The most memory that this process ever had, in bytes, where the system tells it.
fn peak_memory() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: usize = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// A search without end stops at the cap.
#[test]
fn memory_stays_below_the_cap() {
    let Some(before) = peak_memory() else {
        use std::io::Write;
        writeln!(std::io::stdout(), "skipped: no /proc/self/status here").ok();
        return;
    };
    let mut history = Vec::new();
    for value in 0..60 {
        let input = RegisterInput::Cas { expected: value as i64 % 7, new: value as i64 % 5 };
        history.push(Operation::completed(value, input, RegisterOutput::Swapped, value, 1000));
        history.push(Operation::pending(100 + value, RegisterInput::Write(value as i64), value));
    }
    let output = RegisterOutput::Value(Some(-1));
    history.push(Operation::completed(99, RegisterInput::Read, output, 2000, 2001));
    let limits = Limits { configurations: u64::MAX, memory: CAP, time: None };
    assert_eq!(check(&CasRegister, &history, &limits), CheckResult::Unknown);
    let used = peak_memory().expect("it was there before") - before;
    assert!(used > CAP / 4, "used just {used} bytes: the history is not hard enough");
    assert!(used < CAP + SLACK, "used {used} bytes of {CAP}");
}
