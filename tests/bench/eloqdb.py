"""eloqdb: a master, slaves, and a dbrepl to each."""

import os
import re
import subprocess

from machine import Patience, Process, free_port
from wire import Connection, Refused

PASSWORD = "bench"
SETTINGS = """\
[Server]
Service = {port}
Listen = 127.0.0.1
DataDir = {folder}/data
Instance = {name}
{more}
[ForwardLog]
FwLog = {folder}/fwlog/fw-%N

[Replication]
Role = {role}
TmpDir = {folder}/tmp
"""
POSITION = re.compile(r"(\d+)-(\d+):(\d+)")


class Eloqdb:
    """All settings are the defaults: each commit waits for the disk, the log is compressed."""

    NAME = "eloqdb"

    @staticmethod
    def check(programs):
        for name in ("dbserver", "dbrepl", "dbctl"):
            if not os.access(programs / name, os.X_OK):
                raise SystemExit(f"run.py: {programs / name} is missing; "
                                 "cargo build --release --bins makes it")

    def __init__(self, folder, given, sessions=None):
        self.folder = folder
        self.programs = given.bin.resolve()
        self.more = f"MaxSessions = {sessions + 100}\n" if sessions else ""
        self.ports = {}
        self.servers = {}
        self.shippers = {}

    def version(self):
        run = subprocess.run([self.programs / "dbserver", "--version"], capture_output=True,
                             text=True, check=False)
        return run.stdout.strip() or "eloqdb"

    def prepare(self, replicas=1, databases=1):
        """Master and databases; the slaves are made and do not run."""
        names = [("master", "Master")] + [(f"slave{n}", "Slave") for n in range(replicas)]
        for name, role in names:
            self.ports[name] = free_port()
            place = self.folder / name
            for part in ("", "fwlog", "tmp"):
                (place / part).mkdir()
            self._config(name).write_text(SETTINGS.format(
                port=self.ports[name], folder=place, name=name, role=role, more=self.more))
            run = subprocess.run([self.programs / "dbctl", "-c", self._config(name), "init"],
                                 env=self._environment(), capture_output=True, text=True,
                                 check=False)
            if run.returncode != 0:
                raise RuntimeError(f"dbctl init failed: {run.stderr}")
        self._serve("master")
        with self._connect("master", "system") as session:
            for number in range(databases):
                session.rows(f"CREATE DATABASE bench{number}")

    def settle(self):
        with self._connect("master", "system") as session:
            session.rows("DBCTL 'checkpoint'")

    def attach_replicas(self):
        self.start_replicas()

    def start_replicas(self):
        for name in self.ports:
            if name != "master":
                self.servers[name] = self._server(name)
                self.shippers[name] = Process(
                    [self.programs / "dbrepl", "-c", self._config("master"), "-v",
                     f"127.0.0.1:{self.ports[name]}"],
                    self.folder / f"dbrepl-{name}.log", env=self._environment())

    def stop_replicas(self):
        for name in list(self.shippers):
            self.shippers.pop(name).stop()
            self.servers.pop(name).stop()

    def processes(self):
        return [*self.shippers.values(), *self.servers.values()]

    def stop(self):
        for process in self.processes():
            process.stop()

    def check_alive(self):
        for process in self.processes():
            process.check_alive()

    def groups(self):
        """Process ids by what they do."""
        pids = {name: process.child.pid for name, process in self.servers.items()}
        return {"master": [pids["master"]],
                "dbrepl": [process.child.pid for process in self.shippers.values()],
                "slave": [pid for name, pid in pids.items() if name != "master"]}

    def log_bytes(self):
        """All that was ever written: whole segments, and the newest up to its position."""
        with self._connect("master", "system") as session:
            status = dict(session.rows("DBCTL 'forwardlog status'"))
        generation, sequence, offset = map(int, POSITION.search(status["durable"]).groups())
        total = offset
        for path in (self.folder / "master" / "fwlog").glob("fw-*-*"):
            segment = tuple(int(part) for part in path.name.split("-")[1:])
            if segment < (generation, sequence):
                total += path.stat().st_size
        return total

    def address(self, side, database=0):
        """Port, user, database, password."""
        name = "master" if side == "primary" else "slave0"
        return self.ports[name], "dba", f"bench{database}", PASSWORD

    def connect(self, side, database=0, replica=0):
        name = "master" if side == "primary" else f"slave{replica}"
        return self._connect(name, f"bench{database}")

    def _config(self, name):
        return self.folder / name / "eloqdb.cfg"

    def _environment(self):
        return {"PATH": os.environ["PATH"], "EQ_DBPASSWORD": PASSWORD}

    def _connect(self, name, database):
        return Connection(self.ports[name], "dba", database, PASSWORD)

    def _server(self, name):
        return Process([self.programs / "dbserver", "-c", self._config(name)],
                       self.folder / f"{name}.log", env=self._environment())

    def _serve(self, name):
        server = self.servers[name] = self._server(name)

        def ready():
            server.check_alive()
            try:
                self._connect(name, "system").close()
                return True
            except (OSError, Refused):
                return False

        Patience(60).until("dbserver to serve", ready, 0.05)
