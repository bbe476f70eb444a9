"""The works: each measures one system, and gives figures by name.

A figure's name ends in its unit; `figures.py` says which of them are shown.
"""

import statistics
import time

import data
from helpers import Relay

BULK_ROWS = 1_000_000
BULK_TABLE = "CREATE TABLE bulk (a int PRIMARY KEY, b int, pad text)"
INDEX = "CREATE INDEX bulk_b ON bulk (b)"
AGGREGATES = {
    "count, sum, min, max": "SELECT count(*), sum(b), min(b), max(b) FROM bulk",
    "avg": "SELECT avg(b) FROM bulk",
    "GROUP BY": "SELECT b % 100, count(*), sum(b) FROM bulk GROUP BY 1",
}
REPEATS = 5
SERVERS = ("eloqdb", "postgresql")
ALL = (*SERVERS, "limit")


class Commits:
    """A script of pgbench by so many clients, the replica attached."""

    def __init__(self, name, script, clients, delay_ms=0, systems=ALL, short=True):
        self.name, self.script, self.clients = name, script, clients
        self.delay_ms, self.systems, self.short = delay_ms, systems, short

    def measure(self, system, bench):
        measures_log = self.script == "transaction" and system.NAME != "limit"
        if measures_log:
            before = system.log_bytes(), data.commits(system)
        if self.delay_ms:
            with Relay(bench, system.address("primary")[0], self.delay_ms) as port:
                result = bench.pgbench.run(system, self.script, self.clients,
                                           bench.given.seconds, port=port)
        else:
            result = bench.pgbench.run(system, self.script, self.clients, bench.given.seconds)
        if measures_log:
            count = data.commits(system) - before[1]
            result["log_bytes"] = round((system.log_bytes() - before[0]) / max(1, count), 1)
        if system.NAME != "limit":
            result["drain_ms"] = round(data.wait_for_replica(system) * 1e3, 1)
        return result


class Synchronous:
    """The same transactions where each commit waits for the disk of the replica, and where none does."""

    systems, short = SERVERS, False

    def __init__(self, clients):
        self.name, self.clients = f"sync-{clients}", clients

    def measure(self, system, bench):
        def run():
            return bench.pgbench.run(system, "transaction", self.clients, bench.given.seconds)

        alone = run()
        with system.synchronous():
            result = run()
        result["of_asynchronous"] = round(result["per_second"] / alone["per_second"], 3)
        data.wait_for_replica(system)
        return result


class Reads:
    """Rows by primary key, from the replica."""

    systems, short = ALL, True

    def __init__(self, clients):
        self.name, self.clients = f"reads-{clients}", clients

    def measure(self, system, bench):
        return bench.pgbench.run(system, "read", self.clients, bench.given.seconds,
                                 side="replica", latency=False)


class CatchUp:
    """Transactions while the replica is off; then until it has the last of them."""

    name, systems, short = "catch-up", SERVERS, False

    def measure(self, system, bench):
        # Without a checkpoint now, the log would hold whole pages for the one or the other.
        system.settle()
        data.wait_for_replica(system)
        system.stop_replicas()
        log, before = system.log_bytes(), data.commits(system)
        load = bench.pgbench.count(system, "pipeline", 16, bench.given.transactions)
        count, size = data.commits(system) - before, system.log_bytes() - log
        began = time.monotonic()
        system.start_replicas()
        data.wait_for_replica(system, began)
        seconds = time.monotonic() - began
        data.check_equal(system)
        return {"load_per_second": load, "log_bytes": round(size / count, 1),
                "seconds": round(seconds, 3), "per_second": round(count / seconds)}


class Bulk:
    """A million rows: COPY, an index, a scan, aggregates. SQLite alone does the same."""

    name, systems, short = "bulk", ALL, False

    def measure(self, system, bench):
        rows = min(BULK_ROWS, bench.given.bulk_rows)
        if system.NAME == "limit":
            alone = system.alone(rows, list(AGGREGATES.values()))
            times = dict(zip(AGGREGATES, alone["aggregate_seconds"]))
            return {"copy_seconds": alone["insert_seconds"],
                    "index_seconds": alone["index_seconds"],
                    **{f"{name} seconds": time for name, time in times.items()}}
        result = {}
        with system.connect("primary") as session:
            session.rows("DROP TABLE IF EXISTS bulk")
            session.rows(BULK_TABLE)
            data.wait_for_replica(system)
            pieces, log = bench.bulk_pieces(rows), system.log_bytes()
            began = time.monotonic()
            session.copy_in("COPY bulk FROM STDIN", pieces)
            result["copy_seconds"] = time.monotonic() - began
            result["copy_visible_seconds"] = data.wait_for_replica(system, began)
            result["copy_log_bytes"] = (system.log_bytes() - log) / rows
            began = time.monotonic()
            session.rows(INDEX)
            result["index_seconds"] = time.monotonic() - began
            result["index_visible_seconds"] = data.wait_for_replica(system, began)
            result["scan_seconds"] = _median_seconds(
                lambda: session.drain("SELECT * FROM bulk"))
            for name, question in AGGREGATES.items():
                result[f"{name} seconds"] = _median_seconds(
                    lambda question=question: session.rows(question))
            counted = session.value("SELECT count(*) FROM bulk")
        with system.connect("replica") as session:
            there = session.value("SELECT count(*) FROM bulk")
        if not counted == there == str(rows):
            raise RuntimeError(f"{system.NAME}: {counted} and {there} rows of {rows}")
        return {name: round(value, 4) for name, value in result.items()}


class Lag:
    """From the answer to a commit until the replica shows it, at a steady load."""

    name, systems, short = "lag", SERVERS, False
    RATE, EVERY_SECONDS = 500, 0.05

    def measure(self, system, bench):
        child = bench.pgbench.start(system, "transaction", 4,
                                    ["-R", str(self.RATE), "-T", str(bench.given.seconds)])
        try:
            lags = sorted(self._lags(system, child))
        except BaseException:
            child.kill()
            raise
        per_second = bench.pgbench.finish(system, child)
        return {"samples": len(lags), "load_per_second": per_second,
                "p50_ms": round(lags[len(lags) // 2] * 1e3, 3),
                "p99_ms": round(lags[int(len(lags) * 0.99)] * 1e3, 3)}

    def _lags(self, system, child):
        """A sample each time, as long as the load lasts."""
        with system.connect("primary") as primary, system.connect("replica") as replica:
            at = int(primary.value("SELECT coalesce(max(id), 0) FROM lag"))
            time.sleep(0.3)
            while child.poll() is None:
                due = time.monotonic() + self.EVERY_SECONDS
                at += 1
                primary.rows(f"INSERT INTO lag VALUES ({at})")
                answered = time.perf_counter()
                while replica.value(f"SELECT id FROM lag WHERE id = {at}") is None:
                    if time.perf_counter() - answered > 60:
                        raise RuntimeError(f"{system.NAME}: the replica lags a minute")
                yield time.perf_counter() - answered
                time.sleep(max(0, due - time.monotonic()))


def _median_seconds(ask):
    times = []
    for _ in range(REPEATS):
        began = time.monotonic()
        ask()
        times.append(time.monotonic() - began)
    return statistics.median(times)


WORKS = [
    Commits("w1-16", "transaction", 16),
    Commits("w1-1", "transaction", 1),
    Commits("pipeline-16", "pipeline", 16),
    Commits("pipeline-1", "pipeline", 1),
    Commits("update-16", "update", 16),
    Commits("update-1", "update", 1),
    Reads(16),
    Reads(1),
    Commits("w1-16-delay", "transaction", 16, 1, SERVERS, False),
    Commits("w1-1-delay", "transaction", 1, 1, SERVERS, False),
    Commits("pipeline-16-delay", "pipeline", 16, 1, SERVERS, False),
    Commits("update-16-delay", "update", 16, 1, SERVERS, False),
    Commits("update-1-delay", "update", 1, 1, SERVERS, False),
    Synchronous(16),
    Synchronous(1),
    Lag(),
    Bulk(),
    CatchUp(),
]
