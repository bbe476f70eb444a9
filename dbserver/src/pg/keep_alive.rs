//! A machine that is gone without a word is noticed: who says nothing for a while is asked by TCP whether it is still there.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::net::sockopt;

/// How patient one side is with the other.
pub(super) struct Patience {
    silent: Duration,
    asked_every: Duration,
    asked_times: u32,
}

/// With a client: two minutes.
pub(super) const WITH_CLIENT: Patience = Patience {
    silent: Duration::from_mins(1),
    asked_every: Duration::from_secs(10),
    asked_times: 6,
};

/// With a master, whose sessions wait here: half a minute.
pub(super) const WITH_MASTER: Patience = Patience {
    silent: Duration::from_secs(10),
    asked_every: Duration::from_secs(5),
    asked_times: 3,
};

/// Has the system watch the connection.
pub(super) fn watch(stream: impl AsFd, patience: &Patience) -> io::Result<()> {
    sockopt::set_tcp_keepidle(&stream, patience.silent)?;
    sockopt::set_tcp_keepintvl(&stream, patience.asked_every)?;
    sockopt::set_tcp_keepcnt(&stream, patience.asked_times)?;
    sockopt::set_socket_keepalive(&stream, true)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_client_that_says_nothing_is_asked_after_a_minute() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(!sockopt::socket_keepalive(&stream).unwrap());
        watch(&stream, &WITH_CLIENT).unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap().as_secs(), 60);
        assert_eq!(sockopt::tcp_keepcnt(&stream).unwrap(), 6);
    }
}
