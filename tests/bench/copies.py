"""Copies: a new replica of a primary that runs, and one made right again.

Both systems have the same rows. PostgreSQL copies with pg_basebackup, whose clock stops when the
files are there; ours stops when the new slave serves. What differs is moved by dbrepl, and by rsync
over the same files, which are not in use then.
"""

import re
import shutil
import subprocess
import time
from pathlib import Path

import data

MIB = 1 << 20
PAGE = 4096
ROWS = 8_000_000
EQUAL_ROWS = 2_600_000  # of 3,900 bytes each: 10 GiB
SERVERS = ("eloqdb", "postgresql")
LIMIT_BITS = 160_000_000  # 20 MB a second


class Copy:
    """A new replica, while nothing or 16 clients work on the primary."""

    systems, short = SERVERS, False

    def __init__(self, name, clients, limit_bits=None):
        self.name, self.clients, self.limit_bits = name, clients, limit_bits
        # Both systems write what was changed to their files every now and then: a copy that takes long meets that, so what
        # it is compared with has to be long enough to meet it, too.
        self.beside = 20 if limit_bits else 5

    def measure(self, system, bench):
        # What was written before is not to be written during the copy.
        system.settle()
        if not self.clients:
            return self._copied(system)
        child = bench.pgbench_for(bench.given.copy_rows).start(
            system, "transaction", self.clients, ["-T", "600"])
        try:
            time.sleep(2)
            before = _rate(system, lambda: time.sleep(self.beside))[0]
            during, result = _rate(system, lambda: self._copied(system))
            after = _rate(system, lambda: time.sleep(self.beside))[0]
        finally:
            child.terminate()
            child.communicate()
        # Both systems slow down by themselves while they run, as their logs and tables grow.
        without = (before + after) / 2
        return result | {"before_per_second": round(before), "after_per_second": round(after),
                         "per_second": round(during), "share": round(during / without, 3)}

    def _copied(self, system):
        copy = system.begin_copy(self.limit_bits)
        began = time.monotonic()
        try:
            copy.wait()
            return {"seconds": round(time.monotonic() - began, 2),
                    "mib": round(copy.bytes() / MIB)} | copy.usage()
        finally:
            copy.remove()


class Resync:
    """One page of a hundred differs, and the log no longer reaches the slave."""

    name, systems, short = "resync", ("eloqdb",), False

    def measure(self, system, bench):
        in_a_page = 33
        change = ("UPDATE accounts SET balance = balance + 1 "
                  f"WHERE id % {100 * in_a_page} = 0")
        rsync = {}

        def beside(copy):
            with FilesBeside(bench, system, copy) as (theirs, ours):
                rsync["differing"] = _differing_pages(theirs, ours) * PAGE
                began = time.monotonic()
                rsync["moved"] = _rsync(theirs, ours)
                rsync["seconds"] = time.monotonic() - began

        result = _made_right(system, change, beside)
        differing = rsync["differing"]
        return result | {"bytes_a_byte": round(result["moved_bytes"] / differing, 3),
                         "of_rsync": round(result["seconds"] / rsync["seconds"], 3),
                         "rsync_seconds": round(rsync["seconds"], 2),
                         "rsync_bytes_a_byte": round(rsync["moved"] / differing, 3),
                         "differing_mib": round(differing / MIB, 1)}


class Equal:
    """10 GiB of which nothing but one row differs."""

    name, systems, sessions = "equal-10-gib", ("eloqdb",), None

    def measure(self, system, bench):
        data.start(system, 1, replicas=0)
        with system.connect("primary") as session:
            session.rows("CREATE TABLE large (id int PRIMARY KEY, pad text)")
            step = 100_000
            for start in range(1, bench.given.equal_rows + 1, step):
                end = min(start + step - 1, bench.given.equal_rows)
                session.rows("INSERT INTO large SELECT number, repeat('x', 3900) "
                             f"FROM generate_series({start}, {end}) AS number")
                system.forget_log()
        result = _made_right(system, "UPDATE large SET pad = 'y' WHERE id = 1")
        return result | {"kib_moved": round(result["moved_bytes"] / 1024, 1)}


def _made_right(system, change, beside=lambda copy: None):
    """A slave with a copy is away while the master changes and forgets its log; then it is fed.
    `beside` is called in between, when nobody writes."""
    copy = system.begin_copy()
    try:
        copy.wait()
        copy.stop()
        copy.forget()
        system.begin_anew()
        with system.connect("primary") as session:
            session.rows(change)
        system.forget_log()
        beside(copy)
        copy.start(waits=True)
        began = time.monotonic()
        copy.ship()
        copy.wait()
        return {"seconds": round(time.monotonic() - began, 3), "moved_bytes": copy.moved(),
                "mib": round(copy.bytes() / MIB)} | copy.usage()
    finally:
        copy.remove()


def _rate(system, do):
    """Commits a second while it is done, and what it gives."""
    with system.connect("primary") as session:
        def last():
            return int(session.value("SELECT coalesce(max(id), 0) FROM history"))
        before, began = last(), time.monotonic()
        result = do()
        return (last() - before) / (time.monotonic() - began), result


class FilesBeside:
    """The files of both servers at a moment when nobody writes, as a folder for each."""

    def __init__(self, bench, system, copy):
        self.place = Path(bench.folder) / "files"
        self.pairs = [("primary", system.data_folder("master")), ("copy", copy.data_folder())]

    def __enter__(self):
        for name, source in self.pairs:
            shutil.copytree(source, self.place / name,
                            ignore=shutil.ignore_patterns("lock", "*.sock"))
        return self.place / "primary", self.place / "copy"

    def __exit__(self, *_):
        shutil.rmtree(self.place)


def _differing_pages(one, other):
    """Of all database files."""
    count = 0
    for path in sorted(one.rglob("*.db")):
        with open(path, "rb") as ours, open(other / path.relative_to(one), "rb") as theirs:
            while True:
                here, there = ours.read(MIB), theirs.read(MIB)
                if not here and not there:
                    break
                if here != there:
                    count += sum(here[at:at + PAGE] != there[at:at + PAGE]
                                 for at in range(0, max(len(here), len(there)), PAGE))
    return count


def _rsync(source, target):
    """Bytes that went over its line. What it wrote is on the disk then, as with a copy of ours."""
    command = ["rsync", "-a", "--no-whole-file", "--inplace", "--fsync", "--delete", "--stats"]
    run = subprocess.run([*command, f"{source}/", target], capture_output=True, text=True,
                         check=True)
    totals = re.findall(r"Total bytes (?:sent|received): ([\d,]+)", run.stdout)
    return sum(int(total.replace(",", "")) for total in totals)


WORKS = [
    Copy("copy", 0),
    Copy("copy-16", 16),
    Copy("copy-16-limited", 16, LIMIT_BITS),
    Resync(),
]
ALONE = [Equal()]
