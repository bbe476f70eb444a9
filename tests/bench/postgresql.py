"""PostgreSQL: a primary, and a standby that streams from it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from machine import Patience, Process, free_port
from wire import Connection, Refused

SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = on
synchronous_commit = on
shared_buffers = 512MB
max_wal_size = 4GB
"""


def programs():
    """The newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


class PostgreSQL:
    """Both servers run as user postgres when this runs as root, which they refuse to be."""

    NAME = "postgresql"

    @staticmethod
    def check():
        if programs() is None or not (programs() / "pgbench").exists():
            raise SystemExit("replication.py: PostgreSQL's server and pgbench are needed "
                             "(Debian: postgresql, postgresql-contrib)")

    def __init__(self, folder, _given):
        self.folder = folder
        self.programs = programs()
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user, self.user)
        self.primary_port = free_port()
        self.replica_port = free_port()
        self.primary = self.replica = None

    def version(self):
        with self.connect_primary() as session:
            return "PostgreSQL " + session.value("SHOW server_version")

    def create(self):
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                  "-D", self.folder / "primary")
        self._add_settings("primary", SETTINGS + f"port = {self.primary_port}\n")

    def start_primary(self):
        self.primary = self._server("primary")
        self._wait_until_ready(self.primary, self.connect_primary)

    def settle(self):
        with self.connect_primary() as session:
            session.rows("VACUUM ANALYZE accounts")
            session.rows("CHECKPOINT")

    def attach_replica(self):
        self._run("pg_basebackup", "-h", "127.0.0.1", "-p", self.primary_port, "-U", "postgres",
                  "-D", self.folder / "standby", "-R", "-C", "-S", "standby", "-X", "stream",
                  "-c", "fast")
        self._add_settings("standby", f"port = {self.replica_port}\n")
        self.start_replica()
        self._wait_until_ready(self.replica, self.connect_replica)

    def start_replica(self):
        self.replica = self._server("standby")

    def stop_replica(self):
        self.replica.stop()
        self.replica = None

    def stop(self):
        for server in (self.replica, self.primary):
            if server:
                server.stop()

    def check_alive(self):
        for server in (self.replica, self.primary):
            if server:
                server.check_alive()

    def log_bytes(self):
        with self.connect_primary() as session:
            return int(session.value("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))

    def connect_primary(self):
        return Connection(self.primary_port, "postgres", "postgres")

    def connect_replica(self):
        return Connection(self.replica_port, "postgres", "postgres")

    def pgbench(self):
        return self.programs / "pgbench"

    def client_options(self):
        return ["-h", "127.0.0.1", "-p", str(self.primary_port), "-U", "postgres", "postgres"]

    def client_environment(self):
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}

    def _server(self, name):
        return Process([self.programs / "postgres", "-D", self.folder / name],
                       self.folder / f"{name}.log", signal.SIGINT, self.user)

    def _wait_until_ready(self, server, connect):
        def ready():
            server.check_alive()
            try:
                connect().close()
                return True
            except (OSError, Refused):
                return False

        Patience(60).until("PostgreSQL to serve", ready, 0.05)

    def _add_settings(self, name, text):
        with open(self.folder / name / "postgresql.auto.conf", "a") as file:
            file.write(text)

    def _run(self, program, *words):
        as_user = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        run = subprocess.run([str(self.programs / program), *map(str, words)], cwd="/",
                             capture_output=True, text=True, check=False, **as_user)
        if run.returncode != 0:
            raise RuntimeError(f"{program} failed: {run.stderr}")
