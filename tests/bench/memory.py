"""Memory: a primary with a large database under load, and one with many idle sessions.

Each has a system of its own, once: memory does not vary as times do.
"""

import resource
import time

import data
from usage import pss_bytes

MIB = 1 << 20
SESSIONS = 1000
GIB_ROWS = 8_000_000  # of some 130 bytes, with their index
SYSTEMS = ("eloqdb", "postgresql")


class LargeDatabase:
    """The most that the primary takes while 16 clients work on 1 GiB."""

    name, systems, sessions = "memory-1-gib", SYSTEMS, None

    def measure(self, system, bench):
        rows = bench.given.memory_rows
        data.start(system, rows)
        pgbench = bench.pgbench_for(rows)
        child = pgbench.start(system, "transaction", 16, ["-T", str(2 * bench.given.seconds)])
        most = 0
        while child.poll() is None:
            most = max(most, pss_bytes(_primary(system)))
            time.sleep(0.5)
        return {"per_second": pgbench.finish(system, child),
                "peak_mib": round(most / MIB, 1)}


class IdleSessions:
    """What a thousand sessions add that each have done one statement."""

    name, systems, sessions = "memory-1000-sessions", SYSTEMS, SESSIONS

    def measure(self, system, bench):
        _allow_files(SESSIONS + 200)
        data.start(system, bench.given.rows)
        before = pss_bytes(_primary(system))
        open_sessions = []
        try:
            for _ in range(SESSIONS):
                session = system.connect("primary")
                open_sessions.append(session)
                session.value("SELECT balance FROM accounts WHERE id = 1")
            after = pss_bytes(_primary(system))
        finally:
            for session in open_sessions:
                session.close()
        return {"total_mib": round(after / MIB, 1),
                "kib_a_session": round((after - before) / 1024 / SESSIONS, 1)}


def _primary(system):
    groups = system.groups()
    return groups.get("master") or groups["primary"]


def _allow_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


WORKS = [LargeDatabase(), IdleSessions()]
