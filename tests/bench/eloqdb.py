"""eloqdb: a master, slaves, and a dbrepl to each."""

import os
import re
import shutil
import subprocess
from contextlib import contextmanager

from machine import Patience, Process, free_port
from usage import Sample, peak_mib, restart_peak, sample
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
PeerPasswordFile = {folder}/peers.password
"""
POSITION = re.compile(r"(\d+)-(\d+):(\d+)")
COMPLETE = re.compile(r"the copy is complete: \d+ pages, ([\d.]+) (\w+) on the way")
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
COPYING_SECONDS = 900


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
        self.add("master", "Master")
        for number in range(replicas):
            self.add(f"slave{number}", "Slave")
        self.serve("master", waits=True)
        with self._connect("master", "system") as session:
            for number in range(databases):
                session.rows(f"CREATE DATABASE bench{number}")

    def settle(self):
        self.control("checkpoint")

    def begin_copy(self, limit_bits=None):
        """A new slave that gets a copy."""
        return SlaveCopy(self, limit_bits)

    def begin_anew(self):
        """A master that runs keeps for some minutes what came after the cut of a copy."""
        self.servers.pop("master").stop()
        self.serve("master", waits=True)

    def forget_log(self):
        """The log goes as far as the master can do without it."""
        for command in ("checkpoint", "forwardlog switch", "checkpoint",
                        "forwardlog remove --keep 0 --yes"):
            self.control(command)

    def control(self, command):
        """A command of dbctl's, on the master."""
        with self._connect("master", "system") as session:
            return session.rows(f"DBCTL '{command}'")

    def attach_replicas(self):
        self.start_replicas()

    def start_replicas(self):
        for name in self.ports:
            if name != "master":
                self.serve(name)
                self.shippers[name] = self.shipper(name)

    def serve(self, name, waits=False):
        """Starts a server."""
        server = self.servers[name] = self._server(name)

        def ready():
            server.check_alive()
            try:
                self._connect(name, "system").close()
                return True
            except (OSError, Refused):
                return False

        if waits:
            Patience(60).until("dbserver to serve", ready, 0.05)

    @contextmanager
    def synchronous(self):
        """Commits wait for the disk of the replica, which the master feeds by itself meanwhile."""
        self.shippers.pop("slave0").stop()
        self.control(f"source start slave0 127.0.0.1:{self.ports['slave0']}")
        self._wait_for_slaves("any 1")
        yield
        self._wait_for_slaves("")
        self.control("source shutdown slave0")
        self.shippers["slave0"] = self.shipper("slave0")

    def _wait_for_slaves(self, rule):
        config = self._config("master")
        lines = [line for line in config.read_text().splitlines() if "SyncSlaves" not in line]
        config.write_text("\n".join([*lines, f"SyncSlaves = {rule}", ""]))
        self.control("reload")

        def waits():
            status = dict(self.control("replication sync"))
            return status["released commit"] == status["newest commit"] and (
                not rule or ", fed," in status["slave0"])

        Patience(60).until("the slave to acknowledge", waits, 0.05)

    def shipper(self, name, options=()):
        """A dbrepl from the master to one slave."""
        return Process([self.programs / "dbrepl", "-c", self._config("master"), "-v", *options,
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
        status = dict(self.control("forwardlog status"))
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
        name = {"primary": "master", "replica": f"slave{replica}"}.get(side, side)
        return self._connect(name, f"bench{database}")

    def data_folder(self, name):
        return self.folder / name / "data"

    def add(self, name, role):
        """A server's folder and configuration; it does not run."""
        self.ports[name] = free_port()
        place = self.folder / name
        for part in ("", "fwlog", "tmp"):
            (place / part).mkdir()
        password = place / "peers.password"
        password.touch(0o600)
        password.write_text(PASSWORD)
        self._config(name).write_text(SETTINGS.format(
            port=self.ports[name], folder=place, name=name, role=role, more=self.more))
        run = subprocess.run([self.programs / "dbctl", "-c", self._config(name), "init"],
                             env=self._environment(), capture_output=True, text=True,
                             check=False)
        if run.returncode != 0:
            raise RuntimeError(f"dbctl init failed: {run.stderr}")

    def _config(self, name):
        return self.folder / name / "eloqdb.cfg"

    def _environment(self):
        return {"PATH": os.environ["PATH"], "EQ_DBPASSWORD": PASSWORD}

    def _connect(self, name, database):
        return Connection(self.ports[name], "dba", database, PASSWORD)

    def _server(self, name):
        return Process([self.programs / "dbserver", "-c", self._config(name)],
                       self.folder / f"{name}.log", env=self._environment())


class SlaveCopy:
    """A slave beside the others, and the dbrepl that gives it a copy of the master."""

    NAME = "copy"

    def __init__(self, system, limit_bits):
        self.system, self.limit_bits = system, limit_bits
        system.add(self.NAME, "Slave")
        self.log = system.folder / "dbrepl-copy.log"
        self.shipper = self.mark = self.before = None
        self.start()
        self.ship()

    def start(self, waits=False):
        """The slave; nothing is copied yet."""
        self.system.serve(self.NAME, waits)

    def ship(self):
        """dbrepl begins; the slave is to show what the master has now."""
        with self.system.connect("primary") as session:
            self.mark = int(session.value("SELECT coalesce(max(id), 0) + 1 FROM marker"))
            session.rows(f"INSERT INTO marker VALUES ({self.mark})")
        servers = [self.system.servers[name].child.pid for name in ("master", self.NAME)]
        restart_peak(servers)
        self.before = sample(servers)
        limit = ["-b", str(self.limit_bits)] if self.limit_bits else []
        self.shipper = self.system.shipper(self.NAME, ["--init", "always", *limit])

    def wait(self):
        """Until the slave serves what the master had."""
        def served():
            self.shipper.check_alive()
            self.system.servers[self.NAME].check_alive()
            try:
                with self.system.connect("copy") as session:
                    return session.value(f"SELECT id FROM marker WHERE id = {self.mark}")
            except (OSError, Refused):
                return False

        Patience(COPYING_SECONDS).until("the slave to have its copy", served, 0.02)

    def usage(self):
        """The most memory and the CPU of each process since dbrepl began."""
        used = {}
        for name, pid in self._pids().items():
            used[f"peak_mib {name}"] = peak_mib(pid)
            use = sample([pid])[pid] - self.before.get(pid, Sample())
            used[f"cpu_seconds {name}"] = round(use.user + use.system, 2)
        return used

    def _pids(self):
        return {"master": self.system.servers["master"].child.pid,
                "slave": self.system.servers[self.NAME].child.pid,
                "dbrepl": self.shipper.child.pid}

    def moved(self):
        """Bytes that went to the slave, by what dbrepl says of the newest copy."""
        found = COMPLETE.findall(self.log.read_text())
        if not found:
            raise RuntimeError(f"{self.log} tells of no copy")
        number, unit = found[-1]
        return float(number) * UNITS[unit]

    def bytes(self):
        """Of its databases."""
        return sum(path.stat().st_size for path in self.data_folder().rglob("*.db"))

    def data_folder(self):
        return self.system.data_folder(self.NAME)

    def stop(self):
        self.shipper.stop()
        self.system.servers.pop(self.NAME).stop()

    def remove(self):
        """As if it had never been."""
        if self.NAME in self.system.servers:
            self.stop()
        del self.system.ports[self.NAME]
        shutil.rmtree(self.system.folder / self.NAME)
        self.log.unlink(missing_ok=True)
        self.forget()

    def forget(self):
        """The master keeps no log for it."""
        self.system.control(f"slot drop {self.NAME} --yes")
