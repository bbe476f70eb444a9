"""The programs beside the servers: the limit, the delaying relay, SQLite alone."""

import json
import os
import subprocess

from machine import Patience, Process


class Helper(Process):
    """One that prints the port that it chose."""

    def __init__(self, command, log):
        super().__init__(command, log)
        self.port = Patience(60).until(f"{self.name} to listen", self._announced, 0.01)

    def _announced(self):
        self.check_alive()
        with open(self.log) as log:
            line = log.readline()
        return int(line) if line.endswith("\n") else None


def check(folder):
    """All are there."""
    for name in ("limit", "relay", "alone"):
        if not os.access(folder / name, os.X_OK):
            raise SystemExit(f"run.py: {folder / name} is missing; "
                             "cargo build --release -p bench --examples makes it")


class Limit:
    """A server that only answers the protocol and syncs a log; it has no replica and no SQL."""

    NAME = "limit"

    def __init__(self, folder, given):
        self.folder = folder
        self.helpers = given.helpers
        self.process = None

    def version(self):
        return "limit"

    def prepare(self, replicas=1, databases=1):
        self.process = Helper([self.helpers / "limit", self.folder], self.folder / "port")

    def groups(self):
        return {"limit": [self.process.child.pid]}

    def check_alive(self):
        self.process.check_alive()

    def stop(self):
        if self.process:
            self.process.stop()

    def settle(self):
        pass

    def address(self, _side, _database=0):
        """Port, user, database, password."""
        return self.process.port, "x", "x", ""

    def alone(self, rows, questions):
        """SQLite's own times for the bulk work."""
        path = self.folder / "alone.db"
        for old in self.folder.glob("alone.db*"):
            old.unlink()
        run = subprocess.run([self.helpers / "alone", self.folder, str(rows), *questions],
                             capture_output=True, text=True, check=False)
        for old in self.folder.glob("alone.db*"):
            old.unlink()
        if run.returncode != 0:
            raise RuntimeError(f"{path}: {run.stderr}")
        return json.loads(run.stdout)


class Relay:
    """Between the clients and a server: each direction is so much later."""

    def __init__(self, bench, port, delay_ms):
        self.process = Helper([bench.given.helpers / "relay", port, round(delay_ms * 1000)],
                              bench.folder / f"relay-{port}")

    def __enter__(self):
        return self.process.port

    def __exit__(self, *_):
        self.process.stop()
        self.process.log.unlink()
