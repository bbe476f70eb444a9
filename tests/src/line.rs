//! A line to a server that carries, slows, swallows and breaks as it is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::watch;

/// What the line does with what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// Carries all, at once.
    Carry,
    /// Carries so many KiB a second in each direction.
    Slow(u64),
    /// Takes connections, and lets nothing through. What is held back is carried later.
    Hold,
    /// Breaks the connections that there are, and refuses new ones.
    Cut,
    /// Tells the server that no more will come, and takes its answers. For connections that there
    /// are; new ones carry.
    HalfClose,
    /// Carries so many more bytes towards the server, then breaks in the middle of whatever that is.
    /// New connections carry.
    CutAfter(u64),
}

/// A proxy in front of a server, as long as this lives.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    traffic: watch::Sender<(u64, Traffic)>,
    carried: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// What the tasks of one line share.
#[derive(Clone)]
struct Wire {
    server: SocketAddr,
    traffic: watch::Receiver<(u64, Traffic)>,
    carried: Arc<AtomicU64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    FromServer,
}

/// How a connection's direction came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// As its sender wanted, or half closed.
    Closed,
    Broken,
}

const PIECE: usize = 16 << 10;

impl Line {
    /// A line that carries.
    pub fn to(server: SocketAddr) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a working line");
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .expect("a working line");
        let address = listener.local_addr().expect("a working line");
        let (traffic, watched) = watch::channel((0, Traffic::Carry));
        let carried = Arc::new(AtomicU64::new(0));
        let wire = Wire {
            server,
            traffic: watched,
            carried: Arc::clone(&carried),
        };
        let thread = thread::spawn(move || runtime.block_on(serve(listener, wire)));
        Self {
            address,
            traffic,
            carried,
            thread: Some(thread),
        }
    }

    /// Where it begins.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it does that.
    pub fn set(&self, traffic: Traffic) {
        self.traffic
            .send_modify(|(turn, now)| (*turn, *now) = (*turn + 1, traffic));
    }

    /// Bytes that were carried towards the server so far.
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // The tasks end when nobody can tell them anything any more.
        drop(std::mem::replace(
            &mut self.traffic,
            watch::channel((0, Traffic::Cut)).0,
        ));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || thread::panicking(),
                "the line has panicked"
            );
        }
    }
}

async fn serve(listener: TcpListener, wire: Wire) {
    let mut traffic = wire.traffic.clone();
    loop {
        tokio::select! {
            client = listener.accept() => {
                let Ok((client, _)) = client else { continue };
                if wire.now() == Traffic::Cut {
                    break_off(&client);
                } else {
                    tokio::spawn(connection(client, wire.clone()));
                }
            }
            changed = traffic.changed() => if changed.is_err() { return },
        }
    }
}

impl Wire {
    fn now(&self) -> Traffic {
        self.traffic.borrow().1
    }
}

fn break_off(stream: &TcpStream) {
    // Time zero: the system answers with a reset, as after a crash of the sender.
    let _gone_already = stream.set_zero_linger();
}

async fn connection(client: TcpStream, wire: Wire) {
    let Ok(server) = TcpStream::connect(wire.server).await else {
        break_off(&client);
        return;
    };
    for stream in [&client, &server] {
        let _gone_already = stream.set_nodelay(true);
    }
    // What was told before does not concern a new connection, unless it lasts.
    let since = wire.traffic.borrow().0;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut up = wire.clone();
    let mut down = wire;
    let broken = {
        let towards = carry(
            &mut up,
            since,
            Direction::ToServer,
            &mut from_client,
            &mut to_server,
        );
        let back = carry(
            &mut down,
            since,
            Direction::FromServer,
            &mut from_server,
            &mut to_client,
        );
        tokio::pin!(towards, back);
        tokio::select! {
            end = &mut towards => end == End::Broken || back.await == End::Broken,
            end = &mut back => end == End::Broken || towards.await == End::Broken,
        }
    };
    if broken {
        for half in [&to_client, &to_server] {
            break_off(half.as_ref());
        }
    }
}

/// Carries one direction to its end. What was told is looked at before each piece is handed on.
async fn carry(
    wire: &mut Wire,
    since: u64,
    direction: Direction,
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
) -> End {
    let mut piece = vec![0; PIECE];
    let mut held = 0;
    let mut told = (since, 0);
    loop {
        let (turn, traffic) = *wire.traffic.borrow_and_update();
        if turn != told.0 {
            told = (turn, wire.carried.load(Ordering::Relaxed));
        }
        let concerned = turn > since && direction == Direction::ToServer;
        let mut last = false;
        match traffic {
            Traffic::Cut => return End::Broken,
            Traffic::Hold => {
                if wire.traffic.changed().await.is_err() {
                    return End::Broken;
                }
                continue;
            }
            Traffic::HalfClose if concerned => return close(to).await,
            Traffic::CutAfter(bytes) if concerned => {
                let left = (told.1 + bytes).saturating_sub(wire.carried.load(Ordering::Relaxed));
                last = held as u64 >= left;
                held = held.min(usize::try_from(left).unwrap_or(held));
            }
            _ => {}
        }
        if held > 0 {
            if let Traffic::Slow(kib) = traffic {
                let share = held as u64 * 1_000_000 / (kib.max(1) << 10);
                tokio::time::sleep(Duration::from_micros(share)).await;
            }
            if to.write_all(&piece[..held]).await.is_err() {
                return End::Broken;
            }
            if direction == Direction::ToServer {
                wire.carried.fetch_add(held as u64, Ordering::Relaxed);
            }
            held = 0;
        }
        if last {
            return End::Broken;
        }
        let most = if matches!(traffic, Traffic::Slow(_)) {
            1 << 10
        } else {
            PIECE
        };
        tokio::select! {
            count = from.read(&mut piece[..most]) => match count {
                Ok(0) => return close(to).await,
                Ok(count) => held = count,
                Err(_) => return End::Broken,
            },
            changed = wire.traffic.changed() => if changed.is_err() { return End::Broken },
        }
    }
}

async fn close(to: &mut OwnedWriteHalf) -> End {
    let _gone_already = to.shutdown().await;
    End::Closed
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read as _, Write as _};

    use super::*;
    use crate::waiting::{SHORT, wait_for};

    /// Answers each byte with itself.
    fn echo() -> SocketAddr {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut byte = [0; 512];
                    while let Ok(count @ 1..) = stream.read(&mut byte) {
                        if stream.write_all(&byte[..count]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    fn open(line: &Line) -> std::net::TcpStream {
        let stream = std::net::TcpStream::connect(line.address()).unwrap();
        stream.set_read_timeout(Some(SHORT)).unwrap();
        stream
    }

    fn talks(stream: &mut std::net::TcpStream) -> bool {
        let mut answer = [0; 5];
        stream.write_all(b"hello").is_ok() && stream.read_exact(&mut answer).is_ok()
    }

    #[test]
    fn a_line_carries_and_is_cut_and_carries_again() {
        let line = Line::to(echo());
        let mut stream = open(&line);
        assert!(talks(&mut stream));
        line.set(Traffic::Cut);
        wait_for("the reset", SHORT, || (!talks(&mut stream)).then_some(()));
        let refused = wait_for("a refusal", SHORT, || {
            let mut stream = open(&line);
            (!talks(&mut stream)).then_some(true)
        });
        assert!(refused);
        line.set(Traffic::Carry);
        assert!(talks(&mut open(&line)));
    }

    #[test]
    fn what_is_held_back_comes_later() {
        let line = Line::to(echo());
        let mut stream = open(&line);
        assert!(talks(&mut stream));
        line.set(Traffic::Hold);
        stream.write_all(b"hello").unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let mut answer = [0; 5];
        let silent = stream.read(&mut answer).unwrap_err();
        assert!(matches!(
            silent.kind(),
            ErrorKind::WouldBlock | ErrorKind::TimedOut
        ));
        line.set(Traffic::Slow(64));
        stream.set_read_timeout(Some(SHORT)).unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"hello");
    }

    #[test]
    fn a_line_breaks_in_the_middle() {
        let line = Line::to(echo());
        let mut stream = open(&line);
        assert!(talks(&mut stream));
        line.set(Traffic::CutAfter(3));
        assert!(!talks(&mut stream));
        assert_eq!(line.carried(), 8);
        assert!(talks(&mut open(&line)), "the next one carries");
        line.set(Traffic::HalfClose);
        assert!(talks(&mut open(&line)), "it concerns older connections");
    }
}
