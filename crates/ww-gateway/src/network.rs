//! Addresses and networks: which addresses count as one peer, and who stands behind a proxy that is
//! trusted. It counts nothing itself.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;
use serde::Deserialize;

/// Where a proxy says for whom it asks: `client, proxy, proxy`, the last hop last.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// How a proxy was asked: `https`, or with several proxies `https, http`, the first hop first.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// An address, or all addresses with the same first bits: `192.0.2.7`, `10.0.0.0/8`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// A text is neither an address nor an address with a length behind a slash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no address and no network such as 10.0.0.0/8")]
pub struct NotANetwork {
    text: String,
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let unreadable = || NotANetwork {
            text: text.to_owned(),
        };
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) => (address, Some(prefix)),
        };
        let address: IpAddr = address.parse().map_err(|_| unreadable())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= longest)
                .ok_or_else(unreadable)?,
        };
        Ok(Self { address, prefix })
    }
}

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        text.parse()
    }
}

impl Network {
    /// Whether an address belongs to it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                self.prefix == 0 || differ >> (32 - self.prefix) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let differ = own.to_bits() ^ other.to_bits();
                self.prefix == 0 || differ >> (128 - self.prefix) == 0
            }
            _ => false,
        }
    }
}

/// Whether an address is one of these networks'.
pub(crate) fn is_among(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// One customer's share of IPv6 is a /64: its addresses count as one. In a network of one's own
/// (link-local, unique local) a /64 is the whole park, and each address is a meter.
pub(crate) fn subnet(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) if address.is_unicast_link_local() || address.is_unique_local() => {
            IpAddr::V6(address)
        }
        IpAddr::V6(address) => {
            let bits = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
    }
}

/// For whom a trusted proxy asks: the last hop that is not itself trusted. What stands before it
/// anybody may have written.
pub(crate) fn behind(proxies: &[Network], proxy: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut peer = proxy;
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        let hops = value.to_str().unwrap_or_default();
        for hop in hops.rsplit(',') {
            let Some(address) = hop_address(hop.trim()) else {
                return peer;
            };
            peer = address;
            if !is_among(proxies, peer) {
                return peer;
            }
        }
    }
    peer
}

/// Whether it is by HTTPS that a trusted proxy was asked.
pub(crate) fn is_encrypted_behind(headers: &HeaderMap) -> bool {
    headers
        .get(FORWARDED_PROTO)
        .and_then(|value| value.to_str().ok())
        .and_then(|hops| hops.split(',').next())
        .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// Some proxies write the port too: `192.0.2.7:4711`, `[2001:db8::7]:4711`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .or_else(|_| {
            hop.parse::<std::net::SocketAddr>()
                .map(|address| address.ip())
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_holds_the_addresses_with_its_first_bits() {
        assert!(network("10.0.0.0/8").contains(address("10.255.0.1")));
        assert!(!network("10.0.0.0/8").contains(address("11.0.0.1")));
        assert!(network("fd00::/8").contains(address("fdff::1")));
        assert!(!network("fd00::/8").contains(address("fe00::1")));
        assert!(network("0.0.0.0/0").contains(address("203.0.113.9")));
        assert!(network("192.0.2.7").contains(address("::ffff:192.0.2.7")));
        assert!(!network("192.0.2.7").contains(address("192.0.2.8")));
    }

    #[test]
    fn the_meters_of_a_local_network_are_told_apart() {
        for (one, other, is_same) in [
            ("fe80::1", "fe80::2", false),
            ("fd00::1", "fd00::2", false),
            ("fc00::1", "fc00::2", false),
            ("2001:db8::1", "2001:db8::2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            let is_one = subnet(address(one)) == subnet(address(other));
            assert_eq!(is_one, is_same, "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "proxy",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    fn peer_of(lines: &[&str]) -> IpAddr {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let proxies = [network("10.0.0.0/8")];
        behind(&proxies, address("10.0.0.1"), &headers)
    }

    #[test]
    fn the_last_hop_that_is_not_trusted_is_the_peer_whatever_stands_before_it() {
        assert_eq!(peer_of(&["203.0.113.9"]), address("203.0.113.9"));
        assert_eq!(
            peer_of(&["198.51.100.1, 203.0.113.9, 10.0.0.2"]),
            address("203.0.113.9")
        );
        assert_eq!(
            peer_of(&["198.51.100.1", "203.0.113.9"]),
            address("203.0.113.9")
        );
        assert_eq!(peer_of(&["[2001:db8::7]:4711"]), address("2001:db8::7"));
    }

    #[test]
    fn the_first_hop_says_whether_it_was_encrypted() {
        for (value, is_encrypted) in [
            ("https", true),
            ("HTTPS", true),
            ("https, http", true),
            ("http, https", false),
            ("http", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_PROTO, value.parse().unwrap());
            assert_eq!(is_encrypted_behind(&headers), is_encrypted, "{value}");
        }
        assert!(!is_encrypted_behind(&HeaderMap::new()));
    }

    #[test]
    fn without_a_readable_hop_the_proxy_is_the_peer() {
        assert_eq!(peer_of(&[]), address("10.0.0.1"));
        assert_eq!(peer_of(&["203.0.113.9, unknown"]), address("10.0.0.1"));
    }
}
