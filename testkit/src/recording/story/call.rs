//! A call in a recording.

use std::collections::BTreeMap;

use contract::property::without_numbers;
use contract::recording::{Event, Loss, What};

use super::super::cut::cut;
use super::Line;

/// How many characters are left of arguments and of a reply.
const LONG: usize = 140;

/// The field of an envelope that has the arguments proper.
const ENVELOPE: &str = " args: ";

/// Replies are alike if they begin alike, as far as this, but for numbers.
const ALIKE: usize = 60;

/// A call.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) number: u64,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    /// When it was sent.
    pub(super) sent: u64,
    /// The index of its last event.
    pub(super) index: usize,
    /// `Service.Method`.
    pub(super) method: &'a str,
    /// Whether a handler has begun.
    pub(super) has_arrived: bool,
    pub(super) args: &'a str,
    pub(super) outcome: Outcome<'a>,
}

/// What has come of a call.
#[derive(Clone, Copy)]
pub(super) enum Outcome<'a> {
    /// Nothing yet.
    Open,
    /// The handler has returned this, and the reply has not arrived.
    Returned(&'a str),
    /// This reply.
    Reply(&'a str),
    /// No reply.
    Lost(Loss),
}

impl<'a> Call<'a> {
    /// The name of the method, without that of the service.
    pub(super) fn name(&self) -> &'a str {
        self.method.rsplit('.').next().unwrap_or(self.method)
    }

    /// The call in a line that ends like this.
    pub(super) fn line(&self, events: &[Event], end: &str) -> Line {
        let Self { from, to, args, outcome, index, .. } = self;
        let (name, args, outcome) = (self.name(), short(args), outcome.text());
        Line::new(events, *index, format!("{from} calls {name} of {to}: {args} -> {outcome}{end}"))
    }

    /// Whether it may still have a reply.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.outcome, Outcome::Open | Outcome::Returned(_))
    }

    /// Whether its handler has returned, and the reply has not arrived.
    pub(super) fn is_returned(&self) -> bool {
        matches!(self.outcome, Outcome::Returned(_))
    }

    /// Why it has no reply.
    pub(super) fn loss(&self) -> Option<&'static str> {
        match self.outcome {
            Outcome::Lost(why) => Some(loss(why)),
            _ => None,
        }
    }
}

/// The calls of a run, in the order in which they were sent.
pub(super) fn calls_of(events: &[Event]) -> Vec<Call<'_>> {
    let mut calls: BTreeMap<u64, Call<'_>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        if let What::Request { call, from, to, method, args, .. } = &event.what {
            let (number, sent, has_arrived, outcome) = (*call, event.at, false, Outcome::Open);
            let call = Call { number, from, to, sent, index, method, has_arrived, args, outcome };
            calls.insert(number, call);
            continue;
        }
        if let What::Arrive { call } = &event.what {
            if let Some(call) = calls.get_mut(call) {
                call.has_arrived = true;
            }
            continue;
        }
        let (number, outcome) = match &event.what {
            What::Return { call, reply, .. } => (call, Outcome::Returned(reply)),
            What::Reply { call } => match calls.get(call).map(|call| call.outcome) {
                Some(Outcome::Returned(reply)) => (call, Outcome::Reply(reply)),
                _ => continue,
            },
            What::Lost { call, why } => (call, Outcome::Lost(*why)),
            _ => continue,
        };
        if let Some(call) = calls.get_mut(number) {
            (call.index, call.outcome) = (index, outcome);
        }
    }
    calls.into_values().collect()
}

/// Whether this is the name of a client, such as `C3`.
pub(super) fn is_client(name: &str) -> bool {
    let number = name.strip_prefix('C').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'a> Outcome<'a> {
    /// What the handler has returned.
    pub(super) fn reply(self) -> Option<&'a str> {
        match self {
            Outcome::Returned(reply) | Outcome::Reply(reply) => Some(reply),
            Outcome::Open | Outcome::Lost(_) => None,
        }
    }

    /// Outcomes of the same kind are alike.
    pub(super) fn kind(self) -> String {
        let mut kind = self.reply().map_or_else(|| self.text(), without_numbers);
        cut(&mut kind, ALIKE, 0);
        kind
    }

    fn text(self) -> String {
        match self {
            Outcome::Open => "no reply yet".to_string(),
            Outcome::Returned(reply) => format!("{}, which has not arrived", short(reply)),
            Outcome::Reply(reply) => short(reply),
            Outcome::Lost(why) => loss(why).to_string(),
        }
    }
}

/// Why a call has no reply.
fn loss(why: Loss) -> &'static str {
    match why {
        Loss::Unreachable | Loss::Gone => "unreachable",
        Loss::Request => "the request is lost",
        Loss::HandlerDied => "the handler dies",
        Loss::Cut => "the link is cut meanwhile",
        Loss::Reply => "the reply is lost",
    }
}

/// The beginning of a text. Of an envelope that is too long only what is in it.
fn short(text: &str) -> String {
    let mut text = text.to_string();
    if text.len() > LONG
        && let Some(contents) = text.find(ENVELOPE)
    {
        text.replace_range(..contents + ENVELOPE.len(), "…");
    }
    cut(&mut text, LONG, 0);
    text
}
