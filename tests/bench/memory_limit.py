"""A control group that limits the memory of this process and of all that it starts.

What they read and write of files counts, too, as it does on a machine with so much memory.
"""

import os
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


class MemoryLimit:
    """Holds while it is entered, for what is started meanwhile; both versions of control groups."""

    def __init__(self, limit_bytes):
        self.limit_bytes = limit_bytes
        self.base, self.key = _place()
        self.group = self.base / f"eloqdb-bench-{os.getpid()}"

    @staticmethod
    def possible():
        base, _ = _place()
        return base is not None and os.access(base, os.W_OK)

    def __enter__(self):
        self.group.mkdir()
        (self.group / self.key).write_text(str(self.limit_bytes))
        _move(self.group, [os.getpid()])
        return self

    def __exit__(self, *_):
        _move(self.base, (self.group / "cgroup.procs").read_text().split())
        for _ in range(100):
            try:
                self.group.rmdir()
                return
            except OSError:
                time.sleep(0.05)  # Processes that ended are still being counted out.


def _move(to, pids):
    for pid in pids:
        try:
            (to / "cgroup.procs").write_text(str(pid))
        except ProcessLookupError:
            continue  # It has ended.


def _place():
    """The group that this process is in, and the file that has the limit of a group."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _first(ROOT / "memory" / path.lstrip("/"), ROOT / "memory"), \
                "memory.limit_in_bytes"
        if not controllers and (ROOT / "cgroup.controllers").exists():
            return _first(ROOT / path.lstrip("/"), ROOT), "memory.max"
    return None, ""


def _first(*folders):
    """In a container, paths may begin where the container does."""
    return next((folder for folder in folders if folder.is_dir()), None)
