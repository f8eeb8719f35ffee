//! One line of a log: `012500 VOTE S2@5 granted to S0`.

/// A line that has the form of our logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Time in 0.1 ms.
    pub(super) time: u64,
    /// Four capital letters or digits.
    pub(super) topic: &'a str,
    /// What happened, with the server's name in front if it happened at one.
    pub(super) message: &'a str,
}

/// A server: `S12`, or `G100.S2` where there are groups of them. Ordered by group, then by number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Server {
    /// `G` of `G100`; empty without groups.
    group: String,
    /// 100 of `G100`.
    group_number: Option<u64>,
    /// 2 of `S2`.
    pub(super) number: u64,
}

impl<'a> Line<'a> {
    /// Parses a line; `None` if it has another form. The first line of a log may follow libtest's
    /// `test name ... `.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = match text.split_once(" ... ") {
            Some((name, line)) if name.starts_with("test ") => line,
            _ => text,
        };
        let (time, rest) = text.split_once(' ')?;
        let (topic, message) = rest.split_once(' ')?;
        let is_time = time.len() >= 6 && time.bytes().all(|byte| byte.is_ascii_digit());
        let is_topic = topic.len() == 4
            && topic.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        (is_time && is_topic).then_some(())?;
        Some(Self { time: time.parse().ok()?, topic, message })
    }

    /// The server that the line is about.
    pub(super) fn server(&self) -> Option<Server> {
        let word = self.message.split(' ').next()?.trim_end_matches([':', ',']);
        let name = word.split('@').next()?;
        let (group, name) = name.rsplit_once('.').unwrap_or(("", name));
        let digits = name.strip_prefix('S')?;
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse())?;
        let letters = group.trim_end_matches(|c: char| c.is_ascii_digit());
        Some(Server {
            group: letters.to_string(),
            group_number: group[letters.len()..].parse().ok(),
            number: number.ok()?,
        })
    }
}

impl Server {
    /// Whether it belongs to a group.
    pub(super) fn is_grouped(&self) -> bool {
        !self.group.is_empty() || self.group_number.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The group, its number and the number of the server that a message is about.
    fn server(message: &str) -> Option<(String, Option<u64>, u64)> {
        let line = Line { time: 0, topic: "INFO", message };
        line.server().map(|server| (server.group, server.group_number, server.number))
    }

    #[test]
    fn lines() {
        let line = Line::parse("012500 VOTE S2@5 granted to S0").unwrap();
        assert_eq!(line, Line { time: 12_500, topic: "VOTE", message: "S2@5 granted to S0" });
        assert!(Line::parse("1234567 LOG1 x").is_some());
        assert_eq!(Line::parse("test a::b ... 012500 VOTE S2@5 granted to S0"), Some(line));
        for other in ["", "running 1 test", "12500 VOTE x", "012500 Vote x", "012500 VOTE", "x y z"]
        {
            assert_eq!(Line::parse(other), None, "{other}");
        }
    }

    #[test]
    fn servers() {
        assert_eq!(server("S2@5 granted to S0"), Some((String::new(), None, 2)));
        assert_eq!(server("S12 starts"), Some((String::new(), None, 12)));
        assert_eq!(server("S3: x"), Some((String::new(), None, 3)));
        assert_eq!(server("G100.S2@7 serves shard 3"), Some(("G".into(), Some(100), 2)));
        assert_eq!(server("ctrler.S0 x"), Some(("ctrler".into(), None, 0)));
        for other in ["connect S2", "S", "Start 5", "Sx", "", "S1a"] {
            assert_eq!(server(other), None, "{other}");
        }
    }
}
