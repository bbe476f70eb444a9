//! Connections that break in the middle.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};

use dbtests::{Cluster, follower, process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use crate::shop::{SHOP, open};

/// A line to a server that carries so many bytes towards it, then breaks without a goodbye.
fn line(server: SocketAddr, carries: usize) -> (SocketAddr, JoinHandle<()>) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a working line");
    let listener = runtime
        .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .expect("a working line");
    let address = listener.local_addr().expect("a working line");
    let line = thread::spawn(move || runtime.block_on(carry(listener, server, carries)));
    (address, line)
}

async fn carry(listener: TcpListener, server: SocketAddr, carries: usize) {
    let (mut from, _) = listener.accept().await.expect("a working line");
    let mut to = TcpStream::connect(server).await.expect("a working line");
    let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    let mut carried = 0;
    while carried < carries {
        tokio::select! {
            count = from.read(&mut up) => match count {
                Ok(1..) => {
                    let count = count.expect("a working line").min(carries - carried);
                    to.write_all(&up[..count]).await.expect("a working line");
                    carried += count;
                }
                _ => break,
            },
            count = to.read(&mut down) => match count {
                Ok(1..) => from.write_all(&down[..count.expect("a working line")]).await.expect("a working line"),
                _ => break,
            },
        }
    }
    // Time zero: the system answers with a reset, as after a crash of the sender.
    for stream in [&from, &to] {
        stream.set_zero_linger().expect("a socket");
    }
}

#[test]
fn a_slave_goes_on_after_lines_that_broke_anywhere() {
    let cluster = Cluster::start();
    open(&cluster.master);
    cluster.master.sql(
        SHOP,
        "CREATE TABLE large (body BYTEA); \
         INSERT INTO large SELECT gen_random_bytes(3000) FROM generate_series(1, 3000)",
    );
    for round in 0..12_usize {
        // From the middle of the greeting to the middle of the data.
        let carries = 300 + round * round * 60_000;
        let (address, line) = line(cluster.slave.address(), carries);
        let options = ["-v", "-S"];
        let mut command = follower::dbrepl_to(&cluster.master, address, &options);
        let run = process::run(&mut command, b"");
        line.join().unwrap();
        if run.code == Some(0) {
            break;
        }
        assert!(matches!(run.code, Some(1 | 3)), "{run:?}");
        assert!(
            !run.err.contains("does not continue"),
            "after {carries} bytes: {}",
            run.err
        );
    }
    cluster.synchronize();
    cluster.compare();
}
