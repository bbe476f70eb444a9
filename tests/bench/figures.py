"""The figures that count: where they are found, what they are compared with, and the bars."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row of the table. Ratios are ours to theirs; a bar is the ratio to reach."""
    label: str
    work: str
    key: str
    unit: str
    more_is_better: bool = True
    bar_postgresql: float | None = None
    bar_limit: float | None = None
    key_limit: str | None = None  # what the limit is asked for, when it is not the same


def commits(label, script, bars):
    """A second, for 16 clients and for one."""
    return [Figure(f"{label}, {clients} client{'s' * (clients > 1)}", f"{script}-{clients}",
                   "per_second", "1/s", True, *bar)
            for clients, bar in zip((16, 1), bars)]


def less(label, work, key, unit, bar_postgresql=None, bar_limit=None, key_limit=None):
    return Figure(label, work, key, unit, False, bar_postgresql, bar_limit, key_limit)


def latency(label, work):
    return [less(f"{label}, median", work, "p50_ms", "ms"),
            less(f"{label}, 99 of 100", work, "p99_ms", "ms")]


FIGURES = [
    *commits("BEGIN, UPDATE, INSERT, COMMIT", "w1", ((1.6, 0.7), (1.2, 0.75))),
    *commits("the same pipelined", "pipeline", ((1.7, 0.75), (1.5, 0.75))),
    *commits("autocommit UPDATE", "update", ((1.6, 0.75), (1.6, 0.75))),
    *latency("latency, 16 clients", "w1-16"),
    *latency("latency, 1 client", "w1-1"),
    Figure("1 ms away, 16 clients", "w1-16-delay", "per_second", "1/s", True, 1.0),
    Figure("1 ms away, 1 client", "w1-1-delay", "per_second", "1/s", True, 1.0),
    Figure("1 ms away, pipelined, 16 clients", "pipeline-16-delay", "per_second", "1/s",
           True, 1.0),
    Figure("1 ms away, UPDATE, 16 clients", "update-16-delay", "per_second", "1/s", True, 1.0),
    Figure("1 ms away, UPDATE, 1 client", "update-1-delay", "per_second", "1/s", True, 1.0),
    Figure("catch-up, applied", "catch-up", "per_second", "1/s", True, 3.0),
    less("log a transaction of the catch-up", "catch-up", "log_bytes", "bytes", 0.25),
    less("log a transaction, 16 clients", "w1-16", "log_bytes", "bytes", 0.25),
    less("COPY of 1,000,000 rows", "bulk", "copy_seconds", "s", None, 1.15),
    # At least 1.15 times as fast.
    less("the same, visible on the replica", "bulk", "copy_visible_seconds", "s",
         round(1 / 1.15, 3), 1.15, "copy_seconds"),
    less("log a row of it", "bulk", "copy_log_bytes", "bytes"),
    less("CREATE INDEX on them", "bulk", "index_seconds", "s", None, 1.15),
    less("the same, visible on the replica", "bulk", "index_visible_seconds", "s",
         None, None, "index_seconds"),
    Figure("point reads on the replica, 16 clients", "reads-16", "per_second", "1/s",
           True, 1.35, 0.8),
    Figure("point reads on the replica, 1 client", "reads-1", "per_second", "1/s"),
    less("scan of 1,000,000 rows to a client", "bulk", "scan_seconds", "s", round(1 / 1.5, 3)),
    less("count, sum, min, max of them", "bulk", "count, sum, min, max seconds", "s", None, 1.0),
    less("avg of them", "bulk", "avg seconds", "s", None, 1.0),
    less("100 groups of them", "bulk", "GROUP BY seconds", "s", None, 1.0),
    less("lag at 500 commits a second, median", "lag", "p50_ms", "ms", 0.8),
    less("lag, 99 of 100", "lag", "p99_ms", "ms", 0.4),
    less("CPU of all servers a transaction, 16 clients", "w1-16", "cpu_us", "µs", 0.55),
    less("CPU of all servers a transaction, 1 client", "w1-1", "cpu_us", "µs", 0.6),
    Figure("commits that wait for the replica's disk, 16 clients", "sync-16", "per_second", "1/s", True, 1.3),
    Figure("the same, of those that do not (≥ 0.8)", "sync-16", "of_asynchronous", ""),
    less("the same, 1 client, median", "sync-1", "p50_ms", "ms", 1.0),
    less("a new replica of 8,000,000 rows", "copy", "seconds", "s", 1.0),
    less("the same under 16 clients", "copy-16", "seconds", "s", round(1 / 0.7, 2)),
    Figure("commits meanwhile, of those without", "copy-16", "share", "", True, 1.0),
    Figure("the same, the copy limited to 20 MB/s (≥ 0.85)", "copy-16-limited", "share", ""),
    less("a replica with 1 % of other pages, time of rsync's (≤ 0.5)", "resync", "of_rsync", ""),
    less("the same, bytes a byte that differs (≤ 1.1)", "resync", "bytes_a_byte", ""),
    less("10 GiB that are equal, moved (≤ 1,024)", "equal-10-gib", "kib_moved", "KiB"),
    less("memory, 1 GiB under 16 clients", "memory-1-gib", "peak_mib", "MiB", 1.0),
    less("memory, 1,000 idle sessions", "memory-1000-sessions", "total_mib", "MiB", 1.0),
    less("memory a session", "memory-1000-sessions", "kib_a_session", "KiB", 1.0),
]


@dataclass
class Row:
    """A figure with the medians of a run."""
    figure: Figure
    medians: dict
    disturbed: bool

    def ratio(self, system):
        """Ours to theirs; None without both."""
        ours, theirs = self.medians.get("eloqdb"), self.medians.get(system)
        return ours / theirs if ours is not None and theirs else None

    def reached(self, system):
        """Whether the bar is; None without one."""
        bar = self.figure.bar_postgresql if system == "postgresql" else self.figure.bar_limit
        ratio = self.ratio(system)
        if bar is None or ratio is None:
            return None
        return ratio >= bar if self.figure.more_is_better else ratio <= bar
