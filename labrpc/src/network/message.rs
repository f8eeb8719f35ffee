//! What the keyed mode knows of a message: see `runtime/keyed.rs`.

use std::fmt;

use contract::accidents::AccidentKind;
use rand_pcg::Pcg64;

use super::fate::{self, Conditions, ReplyFate, RequestFate};
use super::links::{EndId, Links};
use crate::runtime::port::{self, Draw, digest, millis, mix, with_network_rng};
use crate::server::Request;

/// A message, which is known by its content; `None` in an ordinary run.
pub(crate) struct Message(Option<Box<Known>>);

/// A request and the reply to it.
struct Known {
    key: u64,
    /// The number of the call.
    call: u64,
    method: String,
    from: String,
    to: String,
    /// The beginning of its arguments, if accidents are told in detail.
    args: String,
}

/// The most bytes of arguments that are told.
const MOST_ARGS: usize = 120;

impl Message {
    /// The message of the call with this number, whose arguments are `words`.
    pub(crate) fn new(
        call: u64,
        (links, end): (&Links, EndId),
        request: &Request,
        words: Option<&str>,
    ) -> Self {
        let content = || {
            let [end, ..] = links.names(end);
            let place = mix(digest(end.as_bytes()), digest(request.method.as_bytes()));
            mix(place, digest(&request.args))
        };
        Self(port::message_key(content).map(|key| {
            let [end, from, to] = links.names(end);
            let from = if from.is_empty() { end } else { from };
            let args = words.map_or(String::new(), |words| match words.len() {
                MOST_ARGS.. => format!(", {}...", &words[..words.floor_char_boundary(MOST_ARGS)]),
                _ => format!(", {words}"),
            });
            let method = request.method.clone();
            let (from, to) = (from.to_string(), to.to_string());
            Box::new(Known { key, call, method, from, to, args })
        }))
    }

    /// Its key, in the keyed mode.
    pub(crate) fn key(&self) -> Option<u64> {
        self.0.as_ref().map(|known| known.key)
    }

    /// Draws what is no accident.
    pub(crate) fn draw<R>(&self, draw: Draw, f: impl FnOnce(&mut Pcg64) -> R) -> R {
        with_network_rng(self.key(), draw, f)
    }

    /// What becomes of the request.
    pub(crate) fn request_fate(&self, conditions: Conditions) -> RequestFate {
        let mut fate = self.draw(Draw::Request, |rng| fate::of_request(conditions, rng));
        let delay = fate.delay;
        if fate.lost {
            fate.lost =
                self.happens(AccidentKind::RequestLost, |it| format!("the request {it} is lost"));
        }
        if delay > 0 && !fate.lost {
            let text = |it: &Known| format!("the request {it} is delayed by {}", millis(delay));
            if !self.happens(AccidentKind::RequestDelayed, text) {
                fate.delay = 0;
            }
        }
        fate
    }

    /// What becomes of the reply.
    pub(crate) fn reply_fate(&self, conditions: Conditions) -> ReplyFate {
        let fate = self.draw(Draw::Reply, |rng| fate::of_reply(conditions, rng));
        let happens = match fate {
            ReplyFate::Arrives(_) => true,
            ReplyFate::Lost => {
                self.happens(AccidentKind::ReplyLost, |it| format!("the reply to {it} is lost"))
            }
            ReplyFate::HeldBack(delay) => self.happens(AccidentKind::ReplyHeld, |it| {
                format!("the reply to {it} is held back for {}", millis(delay))
            }),
        };
        if happens { fate } else { ReplyFate::Arrives(0) }
    }

    /// Whether an accident that is drawn may happen.
    fn happens(&self, kind: AccidentKind, text: impl FnOnce(&Known) -> String) -> bool {
        let Some(known) = &self.0 else { return true };
        port::happens(known.key, kind, known.call, || text(known) + &known.args)
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, from, to, .. } = self;
        let method = method.rsplit('.').next().unwrap_or(method);
        write!(f, "{method} from {from} to {to}")
    }
}
