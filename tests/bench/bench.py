"""A run: its systems, started together and measured in turn."""

import shutil
import sys
import time

import data
from eloqdb import Eloqdb
from helpers import Limit
from pgbench import Pgbench
from postgresql import PostgreSQL
from usage import Watch
from wire import Refused

SYSTEMS = {"eloqdb": Eloqdb, "postgresql": PostgreSQL, "limit": Limit}
WARM_UP_SECONDS = 2


class Bench:
    """What the works share: options, load, input."""

    def __init__(self, folder, given, disk):
        self.folder, self.given, self.disk = folder, given, disk
        self.pgbench = self.pgbench_for(given.rows)
        self.versions = {}
        self.made = 0
        self.pieces = None
        self.failures = []

    def pgbench_for(self, rows):
        """The load on so many accounts."""
        load = Pgbench(self.folder, self.given)
        load.rows = rows
        return load

    def make(self, name, **options):
        """A system in a new folder; nothing runs yet."""
        self.made += 1
        place = self.folder / f"{name}-{self.made}"
        place.mkdir()
        if name == "limit":
            return Limit(place, self.given)
        return SYSTEMS[name](place, self.given, **options)

    def measure_in_turn(self, works, turn, results, rows, replicas=1):
        """One round: each work on each system, the order turned from round to round."""
        needed = {name for work in works for name in work.systems}
        systems = [self.make(name) for name in self.given.systems if name in needed]
        try:
            for system in systems:
                data.start(system, rows, replicas)
                self.versions[system.NAME] = system.version()
                self._warm_up(system, rows)
            for number, work in enumerate(works):
                order = systems if (turn + number) % 2 == 0 else list(reversed(systems))
                for system in order:
                    if system.NAME in work.systems:
                        self._measure(work, system, results)
        finally:
            for system in systems:
                system.stop()
                self.discard(system)

    def measure_alone(self, work, results):
        """A work that starts systems of its own."""
        for name in self.given.systems:
            if name in work.systems:
                system = self.make(name, sessions=work.sessions)
                try:
                    self._measure(work, system, results)
                    self.versions[system.NAME] = system.version()
                finally:
                    system.stop()
                    self.discard(system)

    def discard(self, system):
        """Its files, which may be large."""
        if not self.given.keep:
            shutil.rmtree(system.folder, ignore_errors=True)

    def watched(self, measure):
        """Measures when others leave the machine alone, and marks what they disturbed."""
        watch = Watch(self.given.patience)
        return measure() | watch.close()

    def _measure(self, work, system, results):
        began = time.monotonic()
        try:
            result = self.watched(lambda: work.measure(system, self))
        except (Refused, RuntimeError, OSError) as error:
            # The others still have their figures.
            self.failures.append(f"{work.name} on {system.NAME}: {type(error).__name__}: {error}")
            print(f"run.py: {self.failures[-1]}", file=sys.stderr)
            return
        result["took_seconds"] = round(time.monotonic() - began, 1)
        results.setdefault(work.name, {}).setdefault(system.NAME, []).append(result)
        shown = {key: value for key, value in result.items() if " " not in key or "second" in key}
        print(f"{time.strftime('%T')} {work.name} {system.NAME} {shown}", file=sys.stderr)

    def _warm_up(self, system, rows):
        if not self.given.short:
            load = self.pgbench_for(rows)
            child = load.start(system, "transaction", 4, ["-T", str(WARM_UP_SECONDS)])
            load.finish(system, child)

    def bulk_pieces(self, rows):
        """COPY's text input of the table `bulk`, made before the clock starts."""
        if self.pieces is None or self.pieces[0] != rows:
            pad = "y" * 84
            pieces = ["".join(f"{row}\t{row * 7 % 1_000_003}\t{pad}\n"
                              for row in range(start + 1, min(start + 1000, rows) + 1)).encode()
                      for start in range(0, rows, 1000)]
            self.pieces = rows, pieces
        return self.pieces[1]
