"""What processes use: CPU, context switches, memory. Read from /proc, without rights of its own."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()
BUSY_ABOVE = 0.06   # of all cores: somebody else works
DISTURBED_ABOVE = 0.10  # the two clocks that are compared differ by some percent


@dataclass
class Sample:
    """Seconds and counts since the start of the processes."""
    user: float = 0.0
    system: float = 0.0
    switches: int = 0  # voluntary: each is a wait, and somebody's wake-up

    def __sub__(self, other):
        return Sample(self.user - other.user, self.system - other.system,
                      self.switches - other.switches)

    def __add__(self, other):
        return Sample(self.user + other.user, self.system + other.system,
                      self.switches + other.switches)


def tree(root):
    """A process and all below it."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                parent = int(_stat(entry)[1])
            except (OSError, IndexError):
                continue  # It has gone meanwhile.
            children.setdefault(parent, []).append(int(entry))
    found, open_ends = [], [root]
    while open_ends:
        pid = open_ends.pop()
        found.append(pid)
        open_ends += children.get(pid, [])
    return found


def sample(pids):
    """Of each process by itself; one that has gone is left out."""
    samples = {}
    for pid in pids:
        try:
            fields = _stat(pid)
            switches = 0
            for task in os.listdir(f"/proc/{pid}/task"):
                switches += _status(f"/proc/{pid}/task/{task}/status", "voluntary_ctxt_switches")
            samples[pid] = Sample(int(fields[11]) / TICKS, int(fields[12]) / TICKS, switches)
        except OSError:
            continue
    return samples


def between(before, after):
    """What those used that were there at both times."""
    return sum((after[pid] - before[pid] for pid in before.keys() & after.keys()), Sample())


def pss_bytes(pids):
    """Memory, what is shared divided among those that share it."""
    total = 0
    for pid in pids:
        try:
            total += _status(f"/proc/{pid}/smaps_rollup", "Pss") * 1024
        except OSError:
            continue
    return total


def restart_peak(pids):
    """What `peak_mib` says from now on begins with what the processes have now."""
    for pid in pids:
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mib(pid):
    """The most memory that a process has had at once."""
    return round(_status(f"/proc/{pid}/status", "VmHWM") / 1024, 1)


class Window:
    """A stretch of time in which groups of processes work."""

    def __init__(self, groups):
        self.groups = groups
        self.began = time.monotonic()
        self.before = self._sample()

    def _sample(self):
        return {name: sample(pids) for name, pids in self.groups.items()}

    def close(self):
        """Seconds, and the use of each group."""
        after = self._sample()
        seconds = time.monotonic() - self.began
        return seconds, {name: between(before, after[name])
                         for name, before in self.before.items()}


class Watch:
    """Whether others used the machine since this was made: all processes below us are ours."""

    def __init__(self, patience_seconds):
        self.quiet = _wait_for_quiet(patience_seconds)
        self.began = time.monotonic()
        self.foreign = _busy() - _own()

    def close(self):
        """The share of the machine that others had, and whether that is too much."""
        seconds = time.monotonic() - self.began
        share = (_busy() - _own() - self.foreign) / (CORES * seconds)
        return {"foreign_cpu": round(share, 3),
                "disturbed": not self.quiet or share > DISTURBED_ABOVE}


def _own():
    """CPU of this process and of all that it has started, those that have ended included."""
    total = 0
    for pid in tree(os.getpid()):
        try:
            total += sum(int(ticks) for ticks in _stat(pid)[11:15])
        except OSError:
            continue  # Its parent counts it from now on.
    return total / TICKS


def _wait_for_quiet(patience_seconds):
    """Waits until others leave the machine alone; False when they did not in time.

    Without patience nobody waits, and nobody knows.
    """
    end = time.monotonic() + patience_seconds
    while time.monotonic() < end:
        before = _busy()
        time.sleep(0.5)
        if (_busy() - before) / (CORES * 0.5) < BUSY_ABOVE:
            return True
    return patience_seconds <= 0


def _busy():
    with open("/proc/stat") as stat:
        return sum(int(field) for field in stat.readline().split()[1:4]) / TICKS


def _stat(pid):
    """The fields after the name, which may have blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _status(path, key):
    with open(path) as status:
        for line in status:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0
