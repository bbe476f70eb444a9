//! Work that clients should not feel.

/// How much less of a busy core than a session's: a third as much weight, so that what holds a lock for a moment is
/// still done with it soon.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// From now on this thread, and those that it starts, let others go first where the cores are busy. Elsewhere than on
/// Linux, where niceness is a process's and not a thread's, nothing changes.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "background work has the priority of a session");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::thread;

    use super::*;

    /// Of the calling thread: field 19 of `/proc/…/stat`, counted behind the name, which may have blanks.
    fn niceness() -> i32 {
        let stat = fs::read_to_string("/proc/thread-self/stat").expect("read the thread's state");
        let (_, fields) = stat.rsplit_once(')').expect("a name in brackets");
        let field = fields.split_whitespace().nth(16).expect("a niceness");
        field.parse().expect("a number")
    }

    #[test]
    fn the_thread_and_those_it_starts_give_way_and_no_other() {
        let before = niceness();
        let (own, started) = thread::spawn(|| {
            give_way();
            let started = thread::spawn(niceness).join().expect("the inner thread");
            (niceness(), started)
        })
        .join()
        .expect("the outer thread");
        assert_eq!((own, started), (NICENESS, NICENESS));
        assert_eq!(niceness(), before);
    }
}
