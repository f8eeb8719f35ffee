//! Values on the command line of the program.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// Addresses of all servers.
pub(crate) type Peers = BTreeSet<SocketAddr>;

/// Reads an address. In place of port 0 the system would choose one that the peers do not know.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| format!("'{text}' is not an IP:PORT"))?;
    match address.port() {
        0 => Err("port 0 is not allowed: peers must know the port".to_string()),
        _ => Ok(address),
    }
}

/// Reads a list of addresses.
pub(crate) fn parse_peers(text: &str) -> Result<Peers, String> {
    let mut peers = Peers::new();
    for part in text.split(',') {
        let peer = parse_address(part.trim())?;
        if !peers.insert(peer) {
            return Err(format!("{peer} is listed twice"));
        }
    }
    Ok(peers)
}

/// Reads a time with its unit.
pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| "give a number, and ms, s or m".to_string())?;
    let time = match &text[digits.len()..] {
        "ms" => Duration::from_millis(number),
        "s" | "" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.saturating_mul(60)),
        unit => return Err(format!("'{unit}' is not a unit: give ms, s or m")),
    };
    if time.is_zero() { Err("the time must be longer than zero".to_string()) } else { Ok(time) }
}
