//! Where a server is reached that runs on this machine: it says so itself, in the file `lock` of its environment.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

/// The first address of the server that runs on this environment, as this machine reaches it; `None`: none has said one.
///
/// Errors: the file can't be read, or is not there.
pub fn running_at(data_dir: &Path) -> io::Result<Option<SocketAddr>> {
    let lock = fs::read_to_string(data_dir.join("lock"))?;
    Ok(reached_at(&lock))
}

fn reached_at(lock: &str) -> Option<SocketAddr> {
    let mut lines = lock.lines();
    let address = lines.find_map(|line| line.strip_prefix("address = "))?;
    let mut address: SocketAddr = address.parse().ok()?;
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_running_server_says_where_it_is_reached() {
        let directory = tempfile::tempdir().unwrap();
        let reached = |lock: &str| {
            let mut options = fs::OpenOptions::new();
            let options = options.write(true).create(true).truncate(true);
            let file = options.open(directory.path().join("lock"));
            file.unwrap().write_all(lock.as_bytes()).unwrap();
            let address = running_at(directory.path()).unwrap();
            address.map(|address| address.to_string())
        };
        let missing = running_at(directory.path()).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let lock = "pid = 7\naddress = 0.0.0.0:8103\naddress = [::]:8103\n";
        assert_eq!(reached(lock).as_deref(), Some("127.0.0.1:8103"));
        assert_eq!(
            reached("address = [::]:8103\n").as_deref(),
            Some("[::1]:8103")
        );
        let lock = "pid = 7\naddress = 192.0.2.1:1\n";
        assert_eq!(reached(lock).as_deref(), Some("192.0.2.1:1"));
        assert_eq!(reached("pid = 7\n"), None);
        assert_eq!(reached("address = here\n"), None);
    }
}
