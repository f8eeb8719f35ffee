use super::*;

/// A run that ended in this way, with this hash.
fn run(verdict: Verdict, kind: Option<&str>, hash: &str) -> Run {
    let run = Run::new("raft", "2A", "t_2a", 7, Some(POLICY));
    Run { verdict, kind: kind.map(str::to_string), trace_hash: hash.to_string(), ..run }
}

#[test]
fn a_repeated_run_is_shown_only_if_it_is_the_same() {
    use Verdict::{Diverged, Fail, Harness, Pass, Unknown};
    let late = "real time or a limit ended the repeated run";
    for (verdict, kind, hash, why) in [
        (Fail, None, "a", None),
        (Fail, Some("panic"), "a", None),
        (Diverged, None, "a", None),
        (Fail, None, "b", Some(OTHER_COURSE)),
        (Unknown, None, "b", Some(OTHER_COURSE)),
        (Unknown, None, "a", Some("the checker gave up on the repeated run")),
        (Pass, None, "a", Some(NO_FAILURE)),
        (Fail, Some("hang"), "", Some(late)),
        (Harness, Some("start"), "", Some("the machine prevented the repeated run")),
    ] {
        let run = run(verdict, kind, hash);
        assert_eq!(why_not("a", &run), why, "{verdict:?} {kind:?} {hash}");
    }
}

#[test]
fn an_error_is_told_and_an_interruption_is_not() {
    assert!(matches!(told(Ok(Some(1))), Some(Ok(1))));
    assert!(told::<u8>(Ok(None)).is_none());
    assert!(told::<u8>(Err(Error::Interrupted)).is_none());
    assert!(matches!(told::<u8>(Err(Error::harness("no disk"))), Some(Err(_))));
}
