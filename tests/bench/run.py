#!/usr/bin/env python3
"""Speed, beside PostgreSQL and beside the limit of the machine, in one run.

Starts eloqdb (master, slave, dbrepl), PostgreSQL where installed (primary, streaming standby) and
the limit (a server that only answers the protocol and syncs a log; for bulk work: SQLite alone)
in temporary folders, gives them the same work in turn, and prints a table: medians, and ratios with
the bars that they have to reach. docs/benchmarks.md says what each work is.

    cargo build --release --bins && cargo build --release -p bench --examples
    tests/bench/run.py --short               two minutes: eloqdb against the limit
    tests/bench/run.py                       all figures, five rounds
    tests/bench/run.py --only w1 --only lag  works whose names begin so
    tests/bench/run.py --curves --out DIR    what grows: a curve (SVG) for each
Needs pgbench; Python's standard library only.
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True  # The folder is part of the source tree.

import copies
import curves
import helpers
import memory
import pgbench
import postgresql
import report
import works
from bench import Bench
from eloqdb import Eloqdb
from machine import TimeOver, disk_probe

RELEASE = Path(__file__).resolve().parents[2] / "target" / "release"
SHORT_SECONDS, LONG_SECONDS = 4, 10


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--bin", type=Path, default=RELEASE, metavar="DIR",
        help="where dbserver, dbrepl and dbctl are (default: %(default)s)")
    add("--helpers", type=Path, default=RELEASE / "examples", metavar="DIR",
        help="where limit, relay and alone are (default: %(default)s)")
    add("--short", action="store_true", help="two minutes: against the limit alone, one round")
    add("--list", action="store_true", help="the names of works and curves, and no more")
    add("--only", action="append", metavar="NAME",
        help="a work or curve, or all whose names begin so; may be repeated")
    add("--systems", default="eloqdb,postgresql,limit", help="some of %(default)s")
    add("--rounds", type=int, help="repeat so often; medians are shown (default: 5)")
    add("--seconds", type=int, help=f"length of a load (default: {LONG_SECONDS})")
    add("--transactions", type=int, default=1_000_000, help="of the catch-up (%(default)s)")
    add("--rows", type=int, default=100_000, help="accounts (%(default)s)")
    add("--bulk-rows", type=int, default=works.BULK_ROWS, help="of the bulk work (%(default)s)")
    add("--memory-rows", type=int, default=memory.GIB_ROWS, help="accounts of 1 GiB (%(default)s)")
    add("--copy-rows", type=int, default=copies.ROWS, help="accounts to copy (%(default)s)")
    add("--equal-rows", type=int, default=copies.EQUAL_ROWS, help="of 10 GiB (%(default)s)")
    add("--patience", type=float, default=20, metavar="SECONDS",
        help="wait so long for others to leave the machine alone (%(default)s)")
    add("--curves", action="store_true", help="what grows, instead of the table")
    add("--out", type=Path, metavar="DIR", help="where the curves go, as SVG and JSON")
    add("--json", type=Path, metavar="FILE", help="all that was measured")
    add("--markdown", type=Path, metavar="FILE", help="write the table into this page")
    add("--keep", action="store_true", help="leave the folder with all data and logs")
    given = parser.parse_args()
    given.bin, given.helpers = given.bin.resolve(), given.helpers.resolve()
    given.systems = given.systems.split(",")
    if given.short:
        given.systems = [name for name in given.systems if name != "postgresql"]
        given.patience = min(given.patience, 5)
    given.rounds = given.rounds or (1 if given.short or given.curves else 5)
    given.seconds = given.seconds or (SHORT_SECONDS if given.short else LONG_SECONDS)
    if min(given.rounds, given.seconds, given.transactions, given.rows, given.copy_rows) < 1:
        parser.error("numbers must be positive")
    if given.curves and not given.out:
        parser.error("--curves needs --out DIR")
    return given


def chosen(given, everything):
    """Those that --only names, else those whose names begin so; an error for what nothing has."""
    if not given.only:
        return list(everything)
    names = {one.name for one in everything}
    named = [one for one in everything if any(
        one.name == name or (name not in names and one.name.startswith(name))
        for name in given.only)]
    if not named:
        raise SystemExit(f"run.py: nothing is called {', '.join(given.only)}; see --list")
    return named


def check(given):
    """What is needed is there; PostgreSQL may be missing."""
    if pgbench.found() is None:
        raise SystemExit("run.py: pgbench is needed (Debian: postgresql-contrib)")
    if "eloqdb" in given.systems:
        Eloqdb.check(given.bin)
    helpers.check(given.helpers)
    if "postgresql" in given.systems and postgresql.programs() is None:
        print("run.py: PostgreSQL's server is not installed (Debian: postgresql); "
              "without it", file=sys.stderr)
        given.systems.remove("postgresql")


def table(bench, given, results):
    """All works in rounds; what is measured goes into the results, by work and system."""
    every = chosen(given, [*works.WORKS, *copies.WORKS, *memory.WORKS, *copies.ALONE])
    if given.short:
        every = [work for work in every if getattr(work, "short", False)]
    shared = [work for work in every if work in works.WORKS]
    copied = [work for work in every if work in copies.WORKS]
    own = [work for work in every if work in [*memory.WORKS, *copies.ALONE]]
    for turn in range(given.rounds):
        if shared:
            bench.measure_in_turn(shared, turn, results, given.rows)
        if copied:
            bench.measure_in_turn(copied, turn, results, given.copy_rows, replicas=0)
    for work in own:
        bench.measure_alone(work, results)


def show(results, given, bench):
    rows = report.rows(results)
    print(report.text(rows))
    head = report.head(given.rounds, given.seconds, bench.versions.values(), bench.disk)
    print(head)
    if given.markdown:
        report.write_markdown(given.markdown, report.markdown(rows, head))
    missed = report.bars(rows)
    print(f"bars missed by {len(missed)} of {len(rows)} figures" +
          "".join(f"\n  {label}" for label in missed))


def write_json(path, results, given, bench):
    options = {key: value for key, value in vars(given).items()
               if isinstance(value, (int, float, list))}
    path.write_text(json.dumps({
        "date": time.strftime("%FT%TZ", time.gmtime()), "options": options, "disk": bench.disk,
        "versions": bench.versions, "results": results}, indent=1) + "\n")


def main():
    given = arguments()
    if given.list:
        for kind in (works.WORKS, copies.WORKS, memory.WORKS, copies.ALONE, curves.CURVES):
            print("\n".join(one.name for one in kind))
        return 0
    check(given)
    folder = Path(tempfile.mkdtemp(prefix="eloqdb-bench-"))
    folder.chmod(0o755)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, TimeOver.raised)
    results = {}
    bench = Bench(folder, given, disk_probe(folder))
    try:
        if given.curves:
            curves.draw(chosen(given, curves.CURVES), bench, results)
        else:
            table(bench, given, results)
    except (TimeOver, KeyboardInterrupt, RuntimeError, OSError) as error:
        bench.failures.append(f"{type(error).__name__}: {error}")
    finally:
        if given.keep:
            print(f"data and logs are in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    # What was measured before a failure is worth having.
    if results and not given.curves:
        show(results, given, bench)
    if given.json:
        write_json(given.json, results, given, bench)
    for failure in bench.failures:
        print(f"run.py: failed: {failure}", file=sys.stderr)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
