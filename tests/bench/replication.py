#!/usr/bin/env python3
"""Replication measured beside PostgreSQL's on the same machine in the same run.

Starts PostgreSQL (primary and streaming standby) and eloqdb (master, slave and dbrepl) in
temporary folders, one after the other, gives both the same work, and prints a table and, as the
last line, JSON. Needs pgbench and PostgreSQL's server programs; Python's standard library only.

  W1   transactions a second with so many clients: BEGIN, UPDATE, INSERT, COMMIT, four round trips
       of prepared statements; log bytes for each of them; and how long the replica takes to have
       the last one once the load has ended (drain)
  W2   so many transactions while the replica is off; then the time from the start of the replica
       (and of dbrepl) until it has the last of them

    cargo build --release --bins
    tests/bench/replication.py
    tests/bench/replication.py --rounds 3 --json result.json
    tests/bench/replication.py --only postgresql --seconds 5 --transactions 10000
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True  # The folder is part of the source tree.

from eloqdb import Eloqdb
from machine import Patience, TimeOver, cpu_busy, disk_probe
from postgresql import PostgreSQL
from workload import Workload

DEFAULT_BINARIES = Path(__file__).resolve().parents[2] / "target" / "release"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bin", type=Path, default=DEFAULT_BINARIES, metavar="DIR",
                        help="where dbserver, dbrepl and dbctl are (default: %(default)s)")
    parser.add_argument("--only", choices=["postgresql", "eloqdb"],
                        help="leave out the other")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=int, default=20, help="length of W1 (default: 20)")
    parser.add_argument("--transactions", type=int, default=100_000,
                        help="transactions of W2 (default: 100000)")
    parser.add_argument("--rows", type=int, default=100_000, help="accounts (default: 100000)")
    parser.add_argument("--rounds", type=int, default=1,
                        help="repeat all; medians are shown")
    parser.add_argument("--limit", type=int, default=280, metavar="SECONDS",
                        help="give up a round after so long (default: 280)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON there instead")
    parser.add_argument("--keep", action="store_true",
                        help="leave the folder with all data and logs")
    given = parser.parse_args()
    if min(given.clients, given.seconds, given.transactions, given.rows, given.rounds) < 1:
        parser.error("numbers must be positive")
    return given


def measure(system, work, patience):
    """One system through all workloads. It is stopped however this ends."""
    result = {"load_before": os.getloadavg()[0], "disk": disk_probe(system.folder)}
    try:
        system.create()
        system.start_primary()
        work.prepare(system)
        system.attach_replica()
        work.wait_for_replica(system, patience)
        work.warm_up(system)
        result["version"] = system.version()

        busy = cpu_busy()
        log, commits = system.log_bytes(), work.commits(system)
        result["W1"] = work.run_for(system, patience)
        result["W1"]["log_bytes_per_commit"] = round(
            (system.log_bytes() - log) / (work.commits(system) - commits), 1)
        result["W1"]["cpu_busy_pct"] = busy()

        # Without a checkpoint now, the log would hold whole pages for the one or the other; and the
        # replica has it before it stops.
        system.settle()
        work.wait_for_replica(system, patience)
        system.stop_replica()
        log, commits = system.log_bytes(), work.commits(system)
        load = work.run_transactions(system, patience)
        count, size = work.commits(system) - commits, system.log_bytes() - log
        began = time.monotonic()
        system.start_replica()
        work.wait_for_replica(system, patience)
        seconds = time.monotonic() - began
        result["W2"] = {
            "transactions": count,
            "load_per_second": load,
            "log_bytes_per_commit": round(size / count, 1),
            "catch_up_seconds": round(seconds, 3),
            "applied_per_second": round(count / seconds),
        }
        result["replica_equals_primary"] = work.is_equal(system)
    finally:
        system.stop()
    return result


FIGURES = [
    # name, path in the result, unit, whether more is better
    ("W1 commits", ("W1", "per_second"), "1/s", True),
    ("W1 latency, median", ("W1", "p50_ms"), "ms", False),
    ("W1 latency, 99 of 100", ("W1", "p99_ms"), "ms", False),
    ("W1 log", ("W1", "log_bytes_per_commit"), "bytes a commit", False),
    ("W1 drain", ("W1", "drain_ms"), "ms", False),
    ("W2 log", ("W2", "log_bytes_per_commit"), "bytes a commit", False),
    ("W2 catch-up", ("W2", "catch_up_seconds"), "s", False),
    ("W2 applied", ("W2", "applied_per_second"), "1/s", True),
]


def median(results, path):
    values = []
    for result in results:
        for key in path:
            result = result[key]
        values.append(result)
    return statistics.median(values)


def compare(rounds):
    """Medians of both and how many times better eloqdb is."""
    rows = []
    for name, path, unit, more_is_better in FIGURES:
        row = {"figure": name, "unit": unit}
        for system, results in rounds.items():
            row[system] = median(results, path) if results else None
        theirs, ours = row.get("postgresql"), row.get("eloqdb")
        if theirs and ours:
            better = ours / theirs if more_is_better else theirs / ours
            row["times_better"] = round(better, 2)
        rows.append(row)
    return rows


def show(rows, rounds):
    systems = [name for name, results in rounds.items() if results]
    print(f"{'':24}" + "".join(f"{name:>14}" for name in systems) + f"{'times better':>14}")
    for row in rows:
        figures = "".join(f"{row[name]:>14,.6g}" for name in systems)
        ratio = f"{row['times_better']:>14.2f}" if "times_better" in row else f"{'':14}"
        print(f"{row['figure']:24}{figures}{ratio}  {row['unit']}")


def main():
    given = arguments()
    if given.only != "postgresql":
        Eloqdb.check(given.bin)
    if given.only != "eloqdb":
        PostgreSQL.check()
    folder = Path(tempfile.mkdtemp(prefix="eloqdb-bench-"))
    folder.chmod(0o755)
    rounds = {"postgresql": [], "eloqdb": []}
    failure = None
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, TimeOver.raised)
    try:
        for turn in range(given.rounds):
            signal.alarm(given.limit)
            for name, make in (("postgresql", PostgreSQL), ("eloqdb", Eloqdb)):
                if given.only in (None, name):
                    place = folder / f"{name}-{turn + 1}"
                    place.mkdir()
                    work = Workload(place, given)
                    rounds[name].append(measure(make(place, given), work, Patience()))
            signal.alarm(0)
    except (TimeOver, KeyboardInterrupt, RuntimeError, OSError) as error:
        failure = f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        if given.keep:
            print(f"data and logs are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if failure:
        print(f"replication.py: {failure}", file=sys.stderr)
        return 1
    rows = compare(rounds)
    show(rows, rounds)
    not_of_interest = ("json", "keep", "bin")
    options = {key: value for key, value in vars(given).items() if key not in not_of_interest}
    text = json.dumps({"date": time.strftime("%FT%TZ", time.gmtime()), "options": options,
                       "figures": rows, "rounds": rounds})
    if given.json:
        given.json.write_text(text + "\n")
    else:
        print(text)
    equal = all(r["replica_equals_primary"] for results in rounds.values() for r in results)
    if not equal:
        print("replication.py: a replica differs from its primary", file=sys.stderr)
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
