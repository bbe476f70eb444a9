#!/usr/bin/env python3
"""A former root comes back: dbctl rejoin, by each plan, and pg_rewind doing the same in the same run.

A primary and its replica have a table of some size. The replica is cut off, the primary commits what will be lost, and is
killed; the replica is promoted and commits a little. The clock runs from the start of the old primary until it shows, as a
replica, what the new one has. Then the two have exchanged their roles, and the next measurement begins.

Commits do not wait for the disk in either system: there are up to a million of them, and it is not they that are measured.
"""

import argparse
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from eloqdb import COMPLETE, PASSWORD, UNITS, Eloqdb
from machine import Patience, Process, free_port
from postgresql import PostgreSQL
from wire import Connection, Refused

GIB = 1 << 30
MIB = 1 << 20
ROW = 1000  # bytes, about
AT_ONCE = 500  # transactions in one message
PLANS = ("cut", "log", "compare")
WAIT_SECONDS = 1800
COPIED = re.compile(r"need to copy (\d+) MB")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--bin", type=Path, default=Path("target/release"), help="our programs (%(default)s)")
    add("--gib", type=numbers(float), default=[0.1, 1], help="sizes of the table (0.1,1)")
    add("--lost", type=numbers(int), default=[10, 10_000], help="transactions (10,10000)")
    add("--plans", type=lambda text: text.split(","), default=PLANS, help="of ours (all)")
    add("--folder", type=Path, help="where the servers' files go (the system's)")
    add("--without-postgresql", action="store_true")
    return parser.parse_args()


def numbers(kind):
    return lambda text: [kind(number) for number in text.split(",")]


class Pair:
    """A primary and a replica that exchange their roles; `root` and `other` are their names now."""

    def fill(self, size):
        rows, step = int(size * GIB) // ROW, 50_000
        with self.on(self.root) as session:
            session.rows("CREATE TABLE account (id int PRIMARY KEY, n int, pad text)")
            session.rows("CREATE TABLE marker (id int PRIMARY KEY)")
            for start in range(1, rows + 1, step):
                end = min(start + step - 1, rows)
                session.rows("INSERT INTO account SELECT number, 0, repeat('x', 950) "
                             f"FROM generate_series({start}, {end}) AS number")
        self.rows, self.marker = rows, 0
        self.follow()
        self.mark()

    def mark(self):
        """Until the replica shows what the primary has now."""
        self.marker += 1
        with self.on(self.root) as session:
            session.rows(f"INSERT INTO marker VALUES ({self.marker})")
        Patience(WAIT_SECONDS).until("the replica to follow", self._shown, 0.02)

    def _shown(self):
        try:
            with self.on(self.other) as session:
                return session.value(f"SELECT id FROM marker WHERE id = {self.marker}")
        except (OSError, Refused):
            return False

    def lose(self, count):
        with self.on(self.root) as session:
            for start in range(0, count, AT_ONCE):
                ids = (random.randint(1, self.rows) for _ in range(min(AT_ONCE, count - start)))
                session.rows("".join(
                    f"BEGIN; UPDATE account SET n = n + 1 WHERE id = {id}; COMMIT;" for id in ids))

    def measure(self, lost, plan):
        """Seconds, and what was moved."""
        self.checkpoint()
        self.mark()
        self.part()
        self.lose(lost)
        if plan != "cut":
            self.checkpoint()
        self.kill()
        self.promote()
        for _ in range(10):
            self.marker += 1
            with self.on(self.other) as session:
                session.rows(f"INSERT INTO marker VALUES ({self.marker})")
        self.root, self.other = self.other, self.root
        began = time.monotonic()
        result = self.come_back(plan)
        Patience(WAIT_SECONDS).until("the former primary to follow", self._shown, 0.02)
        result["seconds"] = round(time.monotonic() - began, 2)
        return result | self.afterwards()


class Ours(Pair):
    name = "eloqdb"

    def __init__(self, folder, given):
        self.system = Eloqdb(folder, given)
        self.system.more = "SyncMode = 0\n"
        self.root, self.other, self.shipper = "master", "slave0", None
        self.system.prepare()
        for name in ("master", "slave0"):
            config = self.system._config(name)
            config.write_text(config.read_text() + "PeerPasswordFile = password\n")
            secret = config.with_name("password")
            secret.touch(0o600)
            secret.write_text(PASSWORD)
        self.system.servers.pop("master").stop()
        for name in ("master", "slave0"):
            self.system.serve(name, waits=True)

    def on(self, name):
        return self.system._connect(name, "bench0")

    def follow(self):
        log = self.system.folder / f"dbrepl-{self.marker}.log"
        self.shipper = Process(
            [self.system.programs / "dbrepl", "-c", self.system._config(self.root), "-v", "--init",
             "auto", f"127.0.0.1:{self.system.ports[self.other]}"],
            log, env=self.system._environment())

    def dbctl(self, name, *words):
        run = subprocess.run([self.system.programs / "dbctl", "-c", self.system._config(name),
                              *words], env=self.system._environment(), capture_output=True,
                             text=True, check=False)
        if run.returncode != 0:
            raise RuntimeError(f"dbctl {' '.join(words)}: {run.stderr}")
        return run.stdout

    def checkpoint(self):
        self.dbctl(self.root, "checkpoint")

    def part(self):
        self.shipper.stop()

    def kill(self):
        server = self.system.servers.pop(self.root)
        server.child.kill()
        server.child.wait()

    def promote(self):
        self.dbctl(self.other, "replication", "promote")

    def come_back(self, plan):
        self.system.serve(self.other, waits=True)
        address = f"127.0.0.1:{self.system.ports[self.root]}"
        began = time.monotonic()
        told = json.loads(self.dbctl(self.other, "rejoin", "--from", address, "--no-wait",
                                     "--json", "--plan", plan))
        result = {"plan": told["plan"], "rejoin": round(time.monotonic() - began, 2),
                  "pages": told.get("pages")}
        self.follow()
        return result

    def afterwards(self):
        """What is kept, what came over the line, and how long it takes to compare all pages."""
        folder = self.system.folder / self.other
        kept = sum(path.stat().st_size for path in (folder / "data" / "lost").rglob("*")
                   if path.is_file())
        shutil.rmtree(folder / "data" / "lost")
        shutil.rmtree(folder / "fwlog" / "lost", ignore_errors=True)
        copied = COMPLETE.findall(self.shipper.log.read_text())
        moved = float(copied[-1][0]) * UNITS[copied[-1][1]] / MIB if copied else 0
        began = time.monotonic()
        self.dbctl(self.root, "replication", "verify", self.other)
        return {"moved_mib": round(moved, 1), "kept_mib": round(kept / MIB, 1),
                "proof": round(time.monotonic() - began, 2)}

    def stop(self):
        self.shipper.stop()
        self.system.stop()


class Theirs(Pair):
    name = "postgresql"

    def __init__(self, folder, given):
        self.system = PostgreSQL(folder, given)
        self.system.more = "wal_log_hints = on\nwal_keep_size = 16GB\n"
        self.system.prepare()
        self.root, self.other = "primary", "standby0"

    def on(self, name):
        session = Connection(self.system.ports[name], "postgres", "bench0")
        session.rows("SET synchronous_commit = off")
        return session

    def follow(self):
        self.system.attach_replicas()

    def checkpoint(self):
        with self.on(self.root) as session:
            session.rows("CHECKPOINT")

    def part(self):
        self.system.servers.pop(self.other).stop()

    def kill(self):
        """Its processes all end at once."""
        server = self.system.servers.pop(self.root)
        server.child.send_signal(signal.SIGQUIT)
        server.child.wait()

    def promote(self):
        self.system._serve(self.other)
        with self.on(self.other) as session:
            session.rows("SELECT pg_promote()")
            session.rows("CHECKPOINT")

    def come_back(self, _plan):
        folder = self.system.folder / self.other
        source = f"host=127.0.0.1 port={self.system.ports[self.root]} user=postgres dbname=postgres"
        as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} \
            if self.system.user else {}
        began = time.monotonic()
        run = subprocess.run(
            [self.system.programs / "pg_rewind", "--target-pgdata", folder, "--source-server",
             source, "-R", "--progress"], cwd="/", capture_output=True, text=True, check=False,
            **as_user)
        if run.returncode != 0:
            raise RuntimeError(f"pg_rewind: {run.stderr}")
        took = round(time.monotonic() - began, 2)
        # The settings are those of the other one now.
        self.system.ports[self.other] = free_port()
        self.system._add_settings(
            self.other, f"port = {self.system.ports[self.other]}\nprimary_slot_name = ''\n")
        self.system.servers[self.other] = self.system._server(self.other)
        copied = COPIED.search(run.stderr + run.stdout)
        return {"plan": "pg_rewind", "rejoin": took,
                "moved_mib": int(copied.group(1)) if copied else None}

    def afterwards(self):
        return {}

    def stop(self):
        self.system.stop()


def main():
    given = parse()
    Eloqdb.check(given.bin.resolve())
    systems = [Ours] if given.without_postgresql else [Ours, Theirs]
    for size in given.gib:
        for system in systems:
            folder = Path(tempfile.mkdtemp(prefix="rejoin-", dir=given.folder))
            folder.chmod(0o755)
            pair = system(folder, given)
            try:
                pair.fill(size)
                # The log of one that got a copy begins there, so that what comes by the log comes first.
                for plan in given.plans if system is Ours else ("cut", "log"):
                    for lost in given.lost:
                        result = pair.measure(lost, plan)
                        print(json.dumps({"system": system.name, "gib": size, "lost": lost,
                                          "after_checkpoint": plan != "cut"} | result),
                              flush=True)
            finally:
                pair.stop()
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
