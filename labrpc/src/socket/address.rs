//! Where a server listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server listens: a Unix-domain socket's path, or a TCP host and port.
///
/// As text, `unix:/tmp/a.sock` and `tcp:127.0.0.1:4000`. Without the prefix, text with a slash is a
/// path, and anything else is a host and port.
///
/// ```
/// use labrpc::socket::Address;
/// let address: Address = "./mr.sock".parse().expect("it has a slash");
/// assert_eq!(address, Address::Unix("./mr.sock".into()));
/// assert_eq!("localhost:4000".parse::<Address>().expect("has a port").to_string(), "tcp:localhost:4000");
/// assert!("localhost".parse::<Address>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// The path of a Unix-domain socket.
    Unix(PathBuf),
    /// `host:port`. A server that listens at port 0 gets one from the system.
    Tcp(String),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Tcp(host_and_port) => write!(f, "tcp:{host_and_port}"),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let error = |problem| AddressError { text: text.to_string(), problem };
        let path = text.strip_prefix("unix:").or_else(|| text.contains('/').then_some(text));
        if let Some(path) = path {
            return match path {
                "" => Err(error("names no path")),
                path => Ok(Address::Unix(path.into())),
            };
        }
        let host_and_port = text.strip_prefix("tcp:").unwrap_or(text);
        let (host, port) = host_and_port.rsplit_once(':').ok_or(error("names no port"))?;
        if host.is_empty() {
            return Err(error("names no host"));
        }
        port.parse::<u16>().map_err(|_| error("has no port from 0 to 65535"))?;
        Ok(Address::Tcp(host_and_port.to_string()))
    }
}

/// Text that is not an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    text: String,
    problem: &'static str,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' {}: give a path with a slash, or host:port", self.text, self.problem)
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_back() {
        for text in ["unix:/tmp/x", "unix:x", "tcp:127.0.0.1:80", "tcp:[::1]:0"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_explained() {
        for (text, problem) in [
            ("", "names no port"),
            ("unix:", "names no path"),
            (":80", "names no host"),
            ("host:http", "has no port"),
            ("host:65536", "has no port"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
