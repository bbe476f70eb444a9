"""The machine: processes that never outlive this one, ports, disk, CPU, deadlines."""

import ctypes
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class TimeOver(Exception):
    """Somebody ended the run."""

    @staticmethod
    def raised(number, _frame):
        raise TimeOver(f"ended by {signal.Signals(number).name}")


class Patience:
    """Waits for something with a deadline."""

    def __init__(self, seconds=120):
        self.seconds = seconds

    def until(self, what, check, pause=0.002):
        """Asks again and again until the answer is not false; gives the answer."""
        end = time.monotonic() + self.seconds
        while True:
            answer = check()
            if answer:
                return answer
            if time.monotonic() > end:
                raise TimeoutError(f"waited {self.seconds} s in vain for {what}")
            time.sleep(pause)


class Process:
    """A server that goes when it is told to, and when this program goes."""

    def __init__(self, command, log, stop_signal=signal.SIGTERM, user=None, env=None):
        def die_with_parent():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

        self.name = os.path.basename(str(command[0]))
        self.log = log
        self.stop_signal = stop_signal
        with open(log, "ab") as output:
            self.child = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, env=env, preexec_fn=die_with_parent, cwd="/",
                **({"user": user, "group": user, "extra_groups": []} if user else {}))

    def check_alive(self):
        """An error that says why, when it has ended by itself."""
        if self.child.poll() is not None:
            with open(self.log, errors="replace") as log:
                tail = log.read()[-2000:]
            raise RuntimeError(f"{self.name} ended with {self.child.returncode}:\n{tail}")

    def stop(self):
        """Asks it to stop; ends it when it does not."""
        if self.child.poll() is not None:
            return
        self.child.send_signal(self.stop_signal)
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def free_port():
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def disk_probe(folder, seconds=1.0):
    """4 KiB overwritten and fdatasync, over and over: what the disk does just now."""
    path = folder / "probe"
    block = b"x" * 4096
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        for at in range(256):
            os.pwrite(file, block, at * 4096)
        os.fsync(file)
        times = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter()
            os.pwrite(file, block, len(times) % 256 * 4096)
            os.fdatasync(file)
            times.append(time.perf_counter() - began)
    finally:
        os.close(file)
        path.unlink()
    times.sort()
    return {"syncs_per_second": round(len(times) / sum(times)),
            "p50_us": round(times[len(times) // 2] * 1e6)}


def cpu_busy():
    """Gives a function that tells how busy all cores were since now, in percent."""
    def now():
        with open("/proc/stat") as stat:
            fields = [int(field) for field in stat.readline().split()[1:9]]
        return sum(fields) - fields[3] - fields[4], sum(fields)

    busy, total = now()

    def since():
        later_busy, later_total = now()
        return round(100 * (later_busy - busy) / max(1, later_total - total))

    return since
