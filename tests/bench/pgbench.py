"""Load by pgbench: the scripts, a run, and what the servers used meanwhile."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from usage import Window

KEYS = "\\set aid random(1, {rows})\n\\set delta random(-5000, 5000)\n"
UPDATE = "UPDATE accounts SET balance = balance + :delta WHERE id = :aid;\n"
INSERT = "INSERT INTO history (account, delta, at) VALUES (:aid, :delta, 1700000000);\n"
TRANSACTION = "BEGIN;\n" + UPDATE + INSERT + "COMMIT;\n"
SCRIPTS = {
    "transaction": KEYS + TRANSACTION,
    "pipeline": KEYS + "\\startpipeline\n" + TRANSACTION + "\\endpipeline\n",
    "update": KEYS + UPDATE,
    "read": KEYS + "SELECT balance FROM accounts WHERE id = :aid;\n",
}
CONNECTING_SECONDS = 0.4  # Until all clients are there and have prepared.


def found():
    """The newest that is installed."""
    paths = sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"),
                   key=lambda path: float(path.parts[-3]))
    return paths[-1] if paths else shutil.which("pgbench")


class Pgbench:
    """Runs scripts, prepared, against one side of a system."""

    def __init__(self, folder, given):
        self.folder = folder
        self.given = given
        self.rows = given.rows

    def script(self, name, text=None):
        """The path of a script, written when it is new."""
        path = self.folder / f"{name}-{self.rows}.sql"
        if not path.exists():
            path.write_text((text or SCRIPTS[name]).replace("{rows}", str(self.rows)))
        return path

    def run(self, system, script, clients, seconds, *, side="primary", port=None, rate=None,
            latency=True):
        """A load for a time. All figures are those of the time after the clients have come."""
        options = ["-T", str(seconds)]
        options += ["-R", str(rate)] if rate else []
        logs = self.folder / "latency"
        options += ["-l", "--log-prefix", str(logs)] if latency else []
        for old in self.folder.glob("latency*"):
            old.unlink()
        child = self.start(system, script, clients, options, side=side, port=port)
        time.sleep(min(CONNECTING_SECONDS, seconds / 4))
        window = Window(system.groups())
        time.sleep(max(0.1, seconds - 2 * CONNECTING_SECONDS))
        length, groups = window.close()
        result = {"per_second": self.finish(system, child)}
        transactions = result["per_second"] * length
        per_transaction = 1e6 / max(1, transactions)
        for name, use in groups.items():
            result[f"cpu_user_us {name}"] = round(use.user * per_transaction, 1)
            result[f"cpu_system_us {name}"] = round(use.system * per_transaction, 1)
            result[f"switches {name}"] = round(use.switches / max(1, transactions), 2)
        total = sum(use.user + use.system for use in groups.values())
        result["cpu_us"] = round(total * per_transaction, 1)
        if latency:
            times = sorted(self._latencies())
            result["p50_ms"] = times[len(times) // 2] / 1e3
            result["p99_ms"] = times[int(len(times) * 0.99)] / 1e3
        return result

    def count(self, system, script, clients, transactions):
        """So many transactions in all."""
        each = max(1, transactions // clients)
        child = self.start(system, script, clients, ["-t", str(each)])
        return self.finish(system, child)

    def start(self, system, script, clients, options, *, side="primary", port=None, database=0):
        own_port, user, name, password = system.address(side, database)
        threads = min(2, clients)
        path = script if isinstance(script, Path) else self.script(script)
        return subprocess.Popen(
            [str(found()), "-n", "-M", "prepared", "-c", str(clients), "-j", str(threads),
             "-f", str(path), *options, "-h", "127.0.0.1", "-p", str(port or own_port),
             "-U", user, name],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PGPASSWORD": password},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, system, child):
        """Transactions a second; an error when one has failed."""
        output, errors = child.communicate()
        lines = [line for line in output.splitlines() if line.startswith("tps =")]
        failed = any(line.startswith("number of failed transactions: ") and
                     not line.startswith("number of failed transactions: 0 ")
                     for line in output.splitlines())
        if child.returncode != 0 or not lines or failed:
            system.check_alive()
            raise RuntimeError(f"pgbench failed on {system.NAME}:\n{output}{errors}")
        return round(float(lines[0].split()[2]), 1)

    def _latencies(self):
        for path in self.folder.glob("latency*"):
            with path.open() as log:
                for line in log:
                    yield int(line.split()[2])
