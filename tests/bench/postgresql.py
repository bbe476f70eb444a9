"""PostgreSQL: a primary, and standbys that stream from it."""

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path

from machine import Patience, Process, free_port
from usage import tree
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
    """All servers run as user postgres when this runs as root, which they refuse to be."""

    NAME = "postgresql"

    def __init__(self, folder, _given, sessions=None):
        self.folder = folder
        self.programs = programs()
        self.more = f"max_connections = {sessions + 100}\n" if sessions else ""
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user, self.user)
        self.ports = {"primary": free_port()}
        self.servers = {}
        self.replicas = 1

    def version(self):
        with self.connect("primary") as session:
            return "PostgreSQL " + session.value("SHOW server_version")

    def prepare(self, replicas=1, databases=1):
        """The primary and its databases."""
        self.replicas = replicas
        self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                  "-D", self.folder / "primary")
        self._add_settings("primary", SETTINGS + self.more + f"port = {self.ports['primary']}\n")
        self._serve("primary")
        with Connection(self.ports["primary"], "postgres", "postgres") as session:
            for number in range(databases):
                session.rows(f"CREATE DATABASE bench{number}")

    def settle(self):
        with self.connect("primary") as session:
            session.rows("CHECKPOINT")

    def attach_replicas(self):
        for number in range(self.replicas):
            name = f"standby{number}"
            self.ports[name] = free_port()
            self._run("pg_basebackup", "-h", "127.0.0.1", "-p", self.ports["primary"],
                      "-U", "postgres", "-D", self.folder / name, "-R", "-C", "-S", name,
                      "-X", "stream", "-c", "fast")
            self._add_settings(name, f"port = {self.ports[name]}\n")
            self._serve(name)

    @contextmanager
    def synchronous(self):
        """Commits wait for the disk of the standby."""
        self._wait_for_standbys("*")
        yield
        self._wait_for_standbys("")

    def _wait_for_standbys(self, names):
        with self.connect("primary") as session:
            session.rows(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
            session.rows("SELECT pg_reload_conf()")

            def waits():
                state = session.value("SELECT min(sync_state) FROM pg_stat_replication")
                return (state == "async") != bool(names)

            Patience(60).until("the standby to be synchronous", waits, 0.05)

    def begin_copy(self, limit_bits=None):
        """pg_basebackup, as for a standby."""
        return BaseBackup(self, limit_bits)

    def start_replicas(self):
        for name in self.ports:
            if name != "primary":
                self.servers[name] = self._server(name)

    def stop_replicas(self):
        for name in [name for name in self.servers if name != "primary"]:
            self.servers.pop(name).stop()

    def stop(self):
        for server in reversed(list(self.servers.values())):
            server.stop()

    def check_alive(self):
        for server in self.servers.values():
            server.check_alive()

    def groups(self):
        """Process ids by what they do; a server is a tree of processes."""
        groups = {"primary": [], "standby": []}
        for name, server in self.servers.items():
            groups["primary" if name == "primary" else "standby"] += tree(server.child.pid)
        return groups

    def log_bytes(self):
        with self.connect("primary") as session:
            return int(session.value("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))

    def address(self, side, database=0):
        """Port, user, database, password."""
        return self.ports["primary" if side == "primary" else "standby0"], "postgres", \
            f"bench{database}", ""

    def connect(self, side, database=0, replica=0):
        name = "primary" if side == "primary" else f"standby{replica}"
        return Connection(self.ports[name], "postgres", f"bench{database}")

    def _server(self, name):
        return Process([self.programs / "postgres", "-D", self.folder / name],
                       self.folder / f"{name}.log", signal.SIGINT, self.user)

    def _serve(self, name):
        server = self.servers[name] = self._server(name)

        def ready():
            server.check_alive()
            try:
                Connection(self.ports[name], "postgres", "postgres").close()
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


class BaseBackup:
    """A copy of the primary's files, with the log that makes it whole."""

    def __init__(self, system, limit_bits):
        self.folder = system.folder / "copy"
        limit = [f"--max-rate={limit_bits // 8 // 1024}k"] if limit_bits else []
        self.process = Process(
            [system.programs / "pg_basebackup", "-h", "127.0.0.1", "-p", system.ports["primary"],
             "-U", "postgres", "-D", self.folder, "-R", "-X", "stream", "-c", "fast", *limit],
            system.folder / "basebackup.log", user=system.user)

    def wait(self):
        """Until its files are there, and on the disk."""
        if self.process.child.wait() != 0:
            self.process.check_alive()

    def bytes(self):
        """Without the log."""
        return sum(path.stat().st_size for path in (self.folder / "base").rglob("*"))

    def usage(self):
        return {}

    def remove(self):
        self.process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
