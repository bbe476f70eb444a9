//! The header of HAProxy's PROXY protocol, version 2, which a redirected connection begins with: where the
//! client really comes from, and how often it was handed on.
//!
//! ```text
//! offset  size
//!  0      12    signature
//! 12       1    version (2) and command (0 local, 1 proxy)
//! 13       1    address family (1 IPv4, 2 IPv6) and transport (1 stream)
//! 14       2    length of what follows
//! 16    12, 36  addresses of the client and of the server that it has called, then both ports
//!               fields of one type byte, two bytes of length and a value; ours is HOPS
//! ```
//!
//! Numbers are big-endian. The layout is fixed and small, so it is read here, as the frames of the protocol are; the
//! tests compare with another implementation. Source: `proxy-protocol.txt` of HAProxy, section 2.2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// What no start-up packet begins with: as a length it would be far too long.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Everything before the addresses.
const FIXED: usize = 16;
/// What may follow: addresses, and fields of whoever is between. 536 bytes always fit in one packet of a network,
/// which the specification counts on; some add names and certificates.
const LONGEST: usize = 4096;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const TCP_IPV4: u8 = 0x11;
const TCP_IPV6: u8 = 0x21;

/// Type of our own field, from the range for private use (0xE0 to 0xEF): one byte, how often the
/// session was handed on.
const HOPS: u8 = 0xe0;

/// Where a connection comes from, as the one who hands it on says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyHeader {
    /// The client, and the address that it has called; `None`: the connection is the sender's own.
    pub addresses: Option<(SocketAddr, SocketAddr)>,
    /// How often an eloqdb server has handed it on.
    pub hops: u8,
}

impl ProxyHeader {
    /// Appends the header.
    pub fn encode(&self, out: &mut BytesMut) {
        let mut body = BytesMut::new();
        let kind = match self.addresses {
            None => 0,
            Some((client, server)) => put_addresses(&mut body, client, server),
        };
        body.put_u8(HOPS);
        body.put_u16(1);
        body.put_u8(self.hops);
        out.put_slice(&SIGNATURE);
        let command = if self.addresses.is_some() {
            PROXY
        } else {
            LOCAL
        };
        out.put_u8(command);
        out.put_u8(kind);
        out.put_u16(u16::try_from(body.len()).unwrap_or(u16::MAX));
        out.put_slice(&body);
    }
}

/// Whether a connection begins with a header, as far as its first bytes tell.
pub(super) fn begins(source: &[u8]) -> bool {
    let known = source.len().min(SIGNATURE.len());
    known > 0 && source.get(..known) == SIGNATURE.get(..known)
}

/// Takes the header off a connection that [`begins`] with one; `None` until it is all there.
///
/// Error: what is wrong with it.
pub(super) fn decode(source: &mut BytesMut) -> Result<Option<ProxyHeader>, &'static str> {
    let Some(Ok(length)) = source.get(14..).map(|mut rest| rest.try_get_u16()) else {
        return Ok(None);
    };
    let length = usize::from(length);
    if length > LONGEST {
        return Err("PROXY header is too long");
    }
    if source.len() < FIXED + length {
        return Ok(None);
    }
    let mut body = source.split_to(FIXED + length).freeze();
    body.advance(SIGNATURE.len());
    let (command, kind) = (body.get_u8(), body.get_u8());
    body.advance(2);
    let addresses = match (command, kind) {
        // What it says of addresses is to be passed over.
        (LOCAL, _) => {
            return Ok(Some(ProxyHeader {
                addresses: None,
                hops: 0,
            }));
        }
        (PROXY, TCP_IPV4) => take_addresses::<4>(&mut body),
        (PROXY, TCP_IPV6) => take_addresses::<16>(&mut body),
        (PROXY, _) => return Err("PROXY header is not of a TCP connection"),
        _ => return Err("PROXY header has an unknown version or command"),
    };
    let addresses = addresses.ok_or("PROXY header is shorter than its addresses")?;
    let hops = take_hops(body)?;
    Ok(Some(ProxyHeader {
        addresses: Some(addresses),
        hops,
    }))
}

/// Both addresses in one family, which is the answer: IPv4 where both are, else IPv6.
fn put_addresses(body: &mut BytesMut, client: SocketAddr, server: SocketAddr) -> u8 {
    let kind = match (client.ip().to_canonical(), server.ip().to_canonical()) {
        (IpAddr::V4(client), IpAddr::V4(server)) => {
            body.put_slice(&client.octets());
            body.put_slice(&server.octets());
            TCP_IPV4
        }
        (client, server) => {
            for address in [client, server] {
                let octets = match address {
                    IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
                    IpAddr::V6(address) => address.octets(),
                };
                body.put_slice(&octets);
            }
            TCP_IPV6
        }
    };
    body.put_u16(client.port());
    body.put_u16(server.port());
    kind
}

/// `BYTES` is 4 or 16.
fn take_addresses<const BYTES: usize>(body: &mut Bytes) -> Option<(SocketAddr, SocketAddr)> {
    if body.len() < 2 * BYTES + 4 {
        return None;
    }
    let mut octets = || {
        let mut octets = [0; BYTES];
        body.copy_to_slice(&mut octets);
        address_of(&octets)
    };
    let (client, server) = (octets()?, octets()?);
    let (client_port, server_port) = (body.get_u16(), body.get_u16());
    Some((
        SocketAddr::new(client, client_port),
        SocketAddr::new(server, server_port),
    ))
}

fn address_of(octets: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).into());
    let v6 = || <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).into());
    v4().or_else(|_| v6()).ok()
}

/// The value of our field; 0 where somebody else has written the header.
fn take_hops(mut fields: Bytes) -> Result<u8, &'static str> {
    const MALFORMED: &str = "malformed field in PROXY header";
    let mut hops = 0;
    while fields.has_remaining() {
        let kind = fields.try_get_u8().map_err(|_| MALFORMED)?;
        let length = usize::from(fields.try_get_u16().map_err(|_| MALFORMED)?);
        if length > fields.len() {
            return Err(MALFORMED);
        }
        let mut value = fields.split_to(length);
        if kind == HOPS {
            hops = value.try_get_u8().map_err(|_| MALFORMED)?;
        }
    }
    Ok(hops)
}

#[cfg(test)]
mod tests {
    use super::*;

    use ppp::v2;
    use proptest::prelude::*;

    fn encoded(header: &ProxyHeader) -> BytesMut {
        let mut out = BytesMut::new();
        header.encode(&mut out);
        out
    }

    fn header(client: &str, server: &str, hops: u8) -> ProxyHeader {
        ProxyHeader {
            addresses: Some((client.parse().unwrap(), server.parse().unwrap())),
            hops,
        }
    }

    #[test]
    fn a_header_is_these_bytes() {
        let out = encoded(&header("10.0.0.7:4660", "192.0.2.1:8102", 1));
        let expected = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10\x0a\0\0\x07\xc0\0\x02\x01\x12\x34\x1f\xa6\xe0\0\x01\x01";
        assert_eq!(&out[..], expected);
    }

    #[test]
    fn addresses_of_two_families_travel_as_ipv6() {
        let mut out = encoded(&header("10.0.0.7:1", "[fd00::1]:2", 1));
        let mixed = header("[::ffff:10.0.0.7]:1", "[fd00::1]:2", 1);
        assert_eq!(decode(&mut out), Ok(Some(mixed)));
        // An IPv4 client on an IPv6 socket is an IPv4 client.
        let mut out = encoded(&header("[::ffff:10.0.0.7]:1", "[::ffff:10.0.0.8]:2", 1));
        let plain = header("10.0.0.7:1", "10.0.0.8:2", 1);
        assert_eq!(decode(&mut out), Ok(Some(plain)));
    }

    #[test]
    fn what_others_send_is_read_and_what_is_no_header_of_tcp_refused() {
        let from = |bytes: &[u8]| {
            let mut source = BytesMut::from(&SIGNATURE[..]);
            source.extend_from_slice(bytes);
            decode(&mut source)
        };
        // A look at the port by a load balancer.
        let local = ProxyHeader {
            addresses: None,
            hops: 0,
        };
        assert_eq!(from(b"\x20\0\0\0"), Ok(Some(local)));
        // Another one's fields, and none of ours.
        let other = from(b"\x21\x11\0\x10\x0a\0\0\x07\xc0\0\x02\x01\x12\x34\x1f\xa6\x04\0\x01\x01");
        assert_eq!(
            other,
            Ok(Some(header("10.0.0.7:4660", "192.0.2.1:8102", 0)))
        );
        for (bytes, why) in [
            (&b"\x31\x11\0\0"[..], "version or command"),
            (b"\x22\x11\0\0", "version or command"),
            (b"\x21\x12\0\0", "not of a TCP"),
            (b"\x21\x31\0\0", "not of a TCP"),
            (b"\x21\x11\0\x02ab", "shorter than its addresses"),
            (b"\x21\x11\x10\x01", "too long"),
            (b"\x21\x11\0\x0e0123456789ab\xe0\0", "malformed field"),
            (b"\x21\x11\0\x100123456789ab\xe0\0\x02a", "malformed field"),
            (b"\x21\x11\0\x0f0123456789ab\xe0\0\0", "malformed field"),
        ] {
            let refused = from(bytes).unwrap_err();
            assert!(refused.contains(why), "{bytes:x?}: {refused}");
        }
    }

    fn any_address() -> impl Strategy<Value = SocketAddr> {
        let v4 = any::<(Ipv4Addr, u16)>().prop_map(SocketAddr::from);
        let v6 = any::<(Ipv6Addr, u16)>().prop_map(SocketAddr::from);
        prop_oneof![v4, v6]
    }

    proptest! {
        #[test]
        fn another_implementation_reads_what_is_written(client in any_address(), server in any_address(), hops: u8) {
            let written = ProxyHeader { addresses: Some((client, server)), hops };
            let mut out = encoded(&written);
            let bytes = out.to_vec();
            let theirs = v2::Header::try_from(&bytes[..]).unwrap();
            prop_assert_eq!(theirs.command, v2::Command::Proxy);
            prop_assert_eq!(theirs.protocol, v2::Protocol::Stream);
            let fields: Vec<_> = theirs.tlvs().map(Result::unwrap).collect();
            let value = [hops];
            prop_assert_eq!(fields, vec![v2::TypeLengthValue::new(HOPS, &value)]);
            let theirs: (SocketAddr, SocketAddr) = match theirs.addresses {
                v2::Addresses::IPv4(a) => (
                    (a.source_address, a.source_port).into(),
                    (a.destination_address, a.destination_port).into(),
                ),
                v2::Addresses::IPv6(a) => (
                    (a.source_address, a.source_port).into(),
                    (a.destination_address, a.destination_port).into(),
                ),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            };
            let ours = decode(&mut out).unwrap().unwrap();
            prop_assert!(out.is_empty());
            prop_assert_eq!(ours, ProxyHeader { addresses: Some(theirs), hops });
            let ips = |(client, server): (SocketAddr, SocketAddr)| {
                [client, server].map(|a| (a.ip().to_canonical(), a.port()))
            };
            prop_assert_eq!(ips(theirs), ips((client, server)));
        }

        #[test]
        fn a_header_of_another_implementation_is_read(client: (Ipv6Addr, u16), server: (Ipv6Addr, u16), more: Vec<u8>) {
            let (client, server) = (SocketAddr::from(client), SocketAddr::from(server));
            let mut out = v2::Builder::with_addresses(
                v2::Version::Two | v2::Command::Proxy,
                v2::Protocol::Stream,
                (client, server),
            );
            out = out.write_tlv(HOPS, &[3]).unwrap();
            out = out.write_tlv(0x04_u8, &more).unwrap();
            let mut source = BytesMut::from(&out.build().unwrap()[..]);
            let read = decode(&mut source).unwrap().unwrap();
            prop_assert_eq!(read, ProxyHeader { addresses: Some((client, server)), hops: 3 });
        }

        /// No bytes make it panic, and where a stream is cut does not matter.
        #[test]
        fn any_bytes_are_a_header_or_refused(bytes: Vec<u8>, kind in 0_u8..0x40, length in 0_u16..64) {
            let mut whole = BytesMut::from(&SIGNATURE[..]);
            whole.put_u8(PROXY);
            whole.put_u8(kind);
            whole.put_u16(length);
            whole.extend_from_slice(&bytes);
            let all = whole.clone();
            let found = decode(&mut whole);
            let mut source = BytesMut::new();
            let mut piecewise = Ok(None);
            for byte in &all {
                source.put_u8(*byte);
                prop_assert!(begins(&source) || source.len() > SIGNATURE.len());
                piecewise = decode(&mut source);
                if piecewise != Ok(None) {
                    break;
                }
            }
            prop_assert_eq!(found, piecewise);
        }
    }
}
