//! Ports that stay a server's own from one start to the next.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process;

/// Below the range from which the system takes ports for outgoing connections.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// A TCP port of 127.0.0.1 that no other test uses as long as this lives.
///
/// Port 0 would give another one at each start, and a following dbrepl must find its slave again.
/// The UDP port of the same number is what keeps others away while no server listens.
#[derive(Debug)]
pub struct Port {
    _claim: UdpSocket,
    number: u16,
}

impl Port {
    /// Takes a free port.
    pub fn claim() -> Self {
        // Tests that start together begin their search at different places.
        let start = u16::try_from(process::id() % u32::from(COUNT)).unwrap_or(0);
        (0..COUNT)
            .map(|step| FIRST + (start + step) % COUNT)
            .find_map(|number| {
                let claim = UdpSocket::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
                TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
                Some(Self {
                    _claim: claim,
                    number,
                })
            })
            .expect("a free port")
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }
}
