"""What grows: how throughput follows clients, sizes, replicas, databases, rows and distance."""

import contextlib
import json
import shutil
import statistics
import sys
import time

import data
from helpers import Relay
from memory_limit import MemoryLimit
from plot import Chart
from wire import Refused

SERVERS = ("eloqdb", "postgresql")
CLIENTS = 16
ROWS_A_MEGABYTE = 8_000
GIB = 1 << 30
# Data and log of a primary and a replica, and what is written beside them in a checkpoint.
ROOM_FACTOR = 4


class Curve:
    """Points, and how one is measured. By default all points share one set of running systems."""

    x_label, y_label = "clients", "transactions a second"
    x_names, systems = {}, SERVERS

    def __init__(self, name, title, points):
        self.name, self.title, self.points = name, title, points

    def measure(self, bench, names):
        """System, point and figures, the systems in turn at each point."""
        systems = []
        try:
            for name in names:
                systems.append(bench.make(name))
                data.start(systems[-1], bench.given.rows)
            for number, point in enumerate(self.points):
                for system in systems if number % 2 == 0 else reversed(systems):
                    yield system.NAME, point, bench.watched(
                        lambda system=system, point=point: self.at(bench, system, point))
        finally:
            for system in systems:
                system.stop()
                bench.discard(system)

    def at(self, bench, system, point):
        raise NotImplementedError


class Clients(Curve):
    """W1 by more and more clients; with a delay, through the relay."""

    def __init__(self, name, title, points, delay_ms=0):
        super().__init__(name, title, points)
        self.delay_ms = delay_ms
        self.systems = SERVERS if delay_ms else (*SERVERS, "limit")

    def at(self, bench, system, point):
        if not self.delay_ms:
            return bench.pgbench.run(system, "transaction", point, bench.given.seconds)
        with Relay(bench, system.address("primary")[0], self.delay_ms) as port:
            return bench.pgbench.run(system, "transaction", point, bench.given.seconds, port=port)


class Rows(Curve):
    """Transactions that insert so many rows, by four clients."""

    x_label, y_label = "rows a transaction", "rows a second"
    TEXT = ("BEGIN;\nINSERT INTO history (account, delta, at) SELECT number, 1, 1700000000 "
            "FROM generate_series(1, {count}) AS number;\nCOMMIT;\n")

    def at(self, bench, system, point):
        script = bench.pgbench.script(f"insert-{point}", self.TEXT.replace("{count}", str(point)))
        result = bench.pgbench.run(system, script, 4, bench.given.seconds)
        result["drain_ms"] = round(data.wait_for_replica(system) * 1e3, 1)
        result["per_second"] = round(result["per_second"] * point)
        return result


class Fresh(Curve):
    """Each point has a system of its own."""

    def measure(self, bench, names):
        for point in self.points:
            free = shutil.disk_usage(bench.folder).free
            if self.rows(bench, point) / ROWS_A_MEGABYTE * 1e6 * ROOM_FACTOR > free:
                print(f"run.py: {self.name}: no room on the disk for {point}", file=sys.stderr)
                continue
            for name in names:
                yield name, point, self._one(bench, name, point)

    def _one(self, bench, name, point):
        system = bench.make(name)
        with self.surroundings(point):
            try:
                self.start(bench, system, point)
                return bench.watched(lambda: self.at(bench, system, point))
            finally:
                system.stop()
                bench.discard(system)

    def surroundings(self, _point):
        """What a system is started and measured in."""
        return contextlib.nullcontext()

    def rows(self, bench, _point):
        return bench.given.rows

    def start(self, bench, system, point):
        raise NotImplementedError


class Size(Fresh):
    """W1 on more and more rows: megabytes."""

    x_label = "database"
    x_names = {10: "10 MB", 100: "100 MB", 1000: "1 GB", 10000: "10 GB"}

    def rows(self, _bench, point):
        return point * ROWS_A_MEGABYTE

    def start(self, bench, system, point):
        data.start(system, self.rows(bench, point))

    def at(self, bench, system, point):
        load = bench.pgbench_for(self.rows(bench, point))
        return load.run(system, "transaction", CLIENTS, bench.given.seconds)


class Replicas(Fresh):
    """W1 with more and more replicas attached, until the last of them has all."""

    x_label = "replicas"

    def start(self, bench, system, point):
        data.start(system, bench.given.rows, replicas=point)

    def at(self, bench, system, point):
        result = bench.pgbench.run(system, "transaction", CLIENTS, bench.given.seconds)
        began = time.monotonic()
        for replica in range(point):
            data.wait_for_replica(system, replica=replica)
        result["drain_ms"] = round((time.monotonic() - began) * 1e3, 1)
        return result


class Databases(Fresh):
    """W1, its clients spread over more and more databases."""

    x_label = "databases written at once"

    def start(self, bench, system, point):
        data.start(system, bench.given.rows, databases=point)

    def at(self, bench, system, point):
        options = ["-T", str(bench.given.seconds)]
        loads = [bench.pgbench.start(system, "transaction", CLIENTS // point, options,
                                     database=number) for number in range(point)]
        per_second = sum(bench.pgbench.finish(system, load) for load in loads)
        return {"per_second": round(per_second, 1)}


class Memory(Size):
    """W1 on 2 GB, with less and less memory for all of a system's processes, and for the load."""

    x_label = "memory of all processes"
    x_names = {2: "2 GiB", 4: "4 GiB", 8: "8 GiB"}
    MEGABYTES = 2000

    def rows(self, _bench, _point):
        return self.MEGABYTES * ROWS_A_MEGABYTE

    def surroundings(self, point):
        if not MemoryLimit.possible():
            raise OSError(f"{self.name}: no control group can be made here")
        return MemoryLimit(point * GIB)


CURVES = [
    Clients("clients", "W1, clients on the same machine", [1, 2, 4, 8, 16, 32, 64]),
    Clients("clients-delay", "W1, clients 1 ms away", [1, 2, 4, 8, 16, 32, 64], 1),
    Rows("rows", "INSERT … SELECT of so many rows, 4 clients", [1, 10, 100, 1000, 10000]),
    Replicas("replicas", "W1, 16 clients, replicas attached", [1, 2, 4, 8]),
    Databases("databases", "W1, 16 clients over so many databases", [1, 2, 4, 8]),
    Size("size", "W1, 16 clients, random rows of a database", [10, 100, 1000, 10000]),
    Memory("memory", "W1, 16 clients, 2 GB of rows in limited memory", [2, 4, 8]),
]


def draw(chosen, bench, results):
    """Measures the curves and writes each as SVG, all as JSON."""
    out = bench.given.out
    out.mkdir(parents=True, exist_ok=True)
    for curve in chosen:
        measured = results[curve.name] = {}
        names = [name for name in curve.systems if name in bench.given.systems]
        try:
            for _ in range(bench.given.rounds):
                for name, point, result in curve.measure(bench, names):
                    measured.setdefault(name, {}).setdefault(point, []).append(result)
                    print(f"{time.strftime('%T')} {curve.name} {name} {point}: {result}",
                          file=sys.stderr)
        except (Refused, RuntimeError, OSError) as error:
            # The other curves are still drawn, and this one as far as it came.
            bench.failures.append(f"{curve.name}: {type(error).__name__}: {error}")
        if measured:
            _write(out, curve, measured)
        (out / "curves.json").write_text(json.dumps(results, indent=1) + "\n")


def _write(out, curve, measured):
    """The chart, and the same as a table; a point that others disturbed is marked."""
    lines = {name: [(point, statistics.median(one["per_second"] for one in rounds))
                    for point, rounds in points.items()] for name, points in measured.items()}
    disturbed = {(name, point) for name, points in measured.items()
                 for point, rounds in points.items()
                 if 2 * sum(one["disturbed"] for one in rounds) >= len(rounds)}
    chart = Chart(curve.title, curve.x_label, curve.y_label, lines, curve.x_names, disturbed)
    (out / f"{curve.name}.svg").write_text(chart.svg())
    print(f"\n{curve.title}; {curve.y_label}{'; * disturbed' if disturbed else ''}")
    points = sorted({point for line in lines.values() for point, _ in line})
    print(f"{curve.x_label:26}" + "".join(f"{curve.x_names.get(p, f'{p:,}'):>11}" for p in points))
    for name, line in lines.items():
        values = dict(line)
        print(f"{name:26}" + "".join(
            f"{values.get(p, 0):>10,.0f}{'*' if (name, p) in disturbed else ' '}" for p in points))
