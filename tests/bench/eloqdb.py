"""eloqdb: a master, a slave, and dbrepl between them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from machine import Patience, Process, free_port
from wire import Connection, Refused

PASSWORD = "bench"
DATABASE = "bench"
SETTINGS = """\
[Server]
Service = {port}
Listen = 127.0.0.1
DataDir = {folder}/data
Instance = {name}

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
                raise SystemExit(f"replication.py: {programs / name} is missing; "
                                 "cargo build --release --bins makes it")
        if shutil.which("pgbench") is None and not list(Path("/usr/lib/postgresql").glob("*")):
            raise SystemExit("replication.py: pgbench is needed (Debian: postgresql-contrib)")

    def __init__(self, folder, given):
        self.folder = folder
        self.programs = given.bin.resolve()
        self.ports = {"master": free_port(), "slave": free_port()}
        self.master = self.slave = self.shipper = None

    def version(self):
        run = subprocess.run([self.programs / "dbserver", "--version"], capture_output=True,
                             text=True, check=False)
        return run.stdout.strip() or "eloqdb"

    def create(self):
        for name, role in (("master", "Master"), ("slave", "Slave")):
            place = self.folder / name
            for part in ("", "fwlog", "tmp"):
                (place / part).mkdir()
            self._config(name).write_text(SETTINGS.format(
                port=self.ports[name], folder=place, name=name, role=role))
            run = subprocess.run([self.programs / "dbctl", "-c", self._config(name), "init"],
                                 env=self._environment(), capture_output=True, text=True,
                                 check=False)
            if run.returncode != 0:
                raise RuntimeError(f"dbctl init failed: {run.stderr}")

    def start_primary(self):
        self.master = self._server("master")
        self._wait_until_ready(self.master, lambda: self._connect("master", "system"))
        with self._connect("master", "system") as session:
            session.rows(f"CREATE DATABASE {DATABASE}")

    def settle(self):
        with self._connect("master", "system") as session:
            session.rows("DBCTL 'checkpoint'")

    def attach_replica(self):
        self.start_replica()

    def start_replica(self):
        self.slave = self._server("slave")
        self.shipper = Process(
            [self.programs / "dbrepl", "-c", self._config("master"), "-v",
             f"127.0.0.1:{self.ports['slave']}"],
            self.folder / "dbrepl.log", env=self._environment())

    def stop_replica(self):
        for process in (self.shipper, self.slave):
            process.stop()
        self.shipper = self.slave = None

    def stop(self):
        for process in (self.shipper, self.slave, self.master):
            if process:
                process.stop()

    def check_alive(self):
        for process in (self.shipper, self.slave, self.master):
            if process:
                process.check_alive()

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

    def connect_primary(self):
        return self._connect("master", DATABASE)

    def connect_replica(self):
        return self._connect("slave", DATABASE)

    def pgbench(self):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"),
                       key=lambda path: float(path.parts[-3]))
        return found[-1] if found else shutil.which("pgbench")

    def client_options(self):
        return ["-h", "127.0.0.1", "-p", str(self.ports["master"]), "-U", "dba", DATABASE]

    def client_environment(self):
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PGPASSWORD": PASSWORD}

    def _config(self, name):
        return self.folder / name / "eloqdb.cfg"

    def _environment(self):
        return {"PATH": os.environ["PATH"], "EQ_DBPASSWORD": PASSWORD}

    def _connect(self, name, database):
        return Connection(self.ports[name], "dba", database, PASSWORD)

    def _server(self, name):
        return Process([self.programs / "dbserver", "-c", self._config(name)],
                       self.folder / f"{name}.log", env=self._environment())

    def _wait_until_ready(self, server, connect):
        def ready():
            server.check_alive()
            try:
                connect().close()
                return True
            except (OSError, Refused):
                return False

        Patience(60).until("dbserver to serve", ready, 0.05)
