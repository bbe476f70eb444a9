"""A control group that limits the memory of processes, files they read and write included."""

import os
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class MemoryLimit:
    """Holds for processes while it is entered; version 1 and version 2 of control groups."""

    def __init__(self, limit_bytes, pids):
        self.limit_bytes, self.pids = limit_bytes, pids
        self.base, self.key = _place()
        self.group = self.base / f"eloqdb-bench-{os.getpid()}"

    @staticmethod
    def possible():
        base, key = _place()
        return base is not None and os.access(base, os.W_OK) and bool(key)

    def __enter__(self):
        self.group.mkdir()
        # The processes first: what they have already is not moved with them, but what they touch
        # from now on is counted.
        (self.group / self.key).write_text(str(self.limit_bytes))
        self._move(self.group)
        # Pages that were read before belong to nobody here; without this they would be a gift.
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("1")
        return self

    def __exit__(self, *_):
        self._move(self.base)
        for _ in range(100):
            try:
                self.group.rmdir()
                return
            except OSError:
                time.sleep(0.05)  # Processes that ended are still being counted out.

    def _move(self, to):
        pids = self.pids if to == self.group else self._members()
        for pid in pids:
            try:
                (to / "cgroup.procs").write_text(str(pid))
            except (ProcessLookupError, OSError):
                continue  # It has ended.

    def _members(self):
        return (self.group / "cgroup.procs").read_text().split()


def _place():
    """Where groups are made, and the file that has the limit."""
    if (ROOT / "memory").is_dir():
        return ROOT / "memory", "memory.limit_in_bytes"
    if (ROOT / "cgroup.controllers").exists():
        return ROOT, "memory.max"
    return None, ""
