//! Somebody on the line, who reads all and changes nothing.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A line to a server, and what has passed on it in both directions. It takes connections as long as the test's process
/// lives.
pub(crate) struct Tap {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(server)) else {
                    continue;
                };
                let other = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
                let (up, down) = (Arc::clone(&all), Arc::clone(&all));
                let (client_in, server_in) = (other(&client), other(&server));
                thread::spawn(move || pass(client_in, server, &up));
                thread::spawn(move || pass(server_in, client, &down));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether these bytes have passed.
    pub(crate) fn has_seen(&self, bytes: &[u8]) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.windows(bytes.len()).any(|part| part == bytes)
    }

    /// How many bytes have passed.
    pub(crate) fn count(&self) -> usize {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, seen: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..count];
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(bytes);
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    // Either side may have closed already.
    let _closed = to.shutdown(Shutdown::Write);
}
