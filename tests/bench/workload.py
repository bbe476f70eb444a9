"""The work that both systems get."""

import subprocess
import time

from wire import Refused

TABLES = """
CREATE TABLE accounts (id int PRIMARY KEY, balance int, pad text);
CREATE TABLE history (id serial PRIMARY KEY, account int, delta int, at int);
CREATE TABLE marker (id int PRIMARY KEY);
"""
TRANSACTION = """\
\\set aid random(1, {rows})
\\set delta random(-5000, 5000)
BEGIN;
UPDATE accounts SET balance = balance + :delta WHERE id = :aid;
INSERT INTO history (account, delta, at) VALUES (:aid, :delta, 1700000000);
COMMIT;
"""
WARM_UP_SECONDS = 2
ROWS_PER_INSERT = 1000


class Workload:
    """Loads with pgbench; knows by a row of its own when a replica has everything."""

    def __init__(self, folder, given):
        self.folder = folder
        self.given = given
        self.markers = 0
        self.script = folder / "transaction.sql"
        self.script.write_text(TRANSACTION.format(rows=given.rows))

    def prepare(self, system):
        with system.connect_primary() as session:
            session.rows(TABLES)
            pad = "x" * 84
            for start in range(1, self.given.rows + 1, ROWS_PER_INSERT):
                end = min(start + ROWS_PER_INSERT, self.given.rows + 1)
                rows = ",".join(f"({number},0,'{pad}')" for number in range(start, end))
                session.rows(f"INSERT INTO accounts VALUES {rows}")
        system.settle()

    def warm_up(self, system):
        self._pgbench(system, ["-c", "4", "-T", str(WARM_UP_SECONDS)])

    def run_for(self, system, patience):
        """W1: load for a time; then until the replica has it all."""
        logs = self.folder / "latency"
        options = ["-c", str(self.given.clients), "-T", str(self.given.seconds),
                   "-l", "--log-prefix", str(logs)]
        per_second = self._pgbench(system, options)
        drain = self.wait_for_replica(system, patience)
        times = sorted(self._latencies())
        return {"per_second": per_second, "drain_ms": round(drain * 1e3, 1),
                "p50_ms": times[len(times) // 2] / 1e3,
                "p99_ms": times[int(len(times) * 0.99)] / 1e3}

    def run_transactions(self, system, patience):
        """W2: a number of transactions, as many for each client."""
        each = max(1, self.given.transactions // self.given.clients)
        return self._pgbench(system, ["-c", str(self.given.clients), "-t", str(each)])

    def commits(self, system):
        with system.connect_primary() as session:
            return int(session.value("SELECT count(*) FROM history"))

    def wait_for_replica(self, system, patience):
        """Adds a row to the primary and waits until the replica shows it; gives the seconds."""
        began = time.monotonic()
        self.markers += 1
        with system.connect_primary() as session:
            session.rows(f"INSERT INTO marker VALUES ({self.markers})")
        question = f"SELECT id FROM marker WHERE id = {self.markers}"
        session = None

        def has_it():
            nonlocal session
            system.check_alive()
            try:
                session = session or system.connect_replica()
            except (OSError, Refused):
                return False  # It does not serve yet, or not this database.
            try:
                return session.value(question) is not None
            except Refused:
                return False  # The table is not there yet.
            except OSError:
                session.close()
                session = None
                return False

        patience.until("the replica to have the last transaction", has_it)
        session.close()
        return time.monotonic() - began

    def is_equal(self, system):
        """The same sums on both sides, and no transaction half applied."""
        question = ("SELECT (SELECT count(*) FROM history), (SELECT sum(delta) FROM history), "
                    "(SELECT sum(balance) FROM accounts)")
        with system.connect_primary() as primary, system.connect_replica() as replica:
            here, there = primary.rows(question), replica.rows(question)
        return here == there and here[0][1] == here[0][2]

    def _pgbench(self, system, options):
        for old in self.folder.glob("latency*"):
            old.unlink()
        threads = min(2, self.given.clients)
        run = subprocess.run(
            [system.pgbench(), "-n", "-M", "prepared", "-j", str(threads), "-f", str(self.script),
             *options, *system.client_options()],
            env=system.client_environment(), capture_output=True, text=True, check=False)
        lines = [line for line in run.stdout.splitlines() if line.startswith("tps =")]
        failed = any(line.startswith("number of failed transactions: ") and
                     not line.startswith("number of failed transactions: 0 ")
                     for line in run.stdout.splitlines())
        if run.returncode != 0 or not lines or failed:
            raise RuntimeError(f"pgbench failed on {system.NAME}:\n{run.stdout}{run.stderr}")
        return round(float(lines[0].split()[2]))

    def _latencies(self):
        for path in self.folder.glob("latency*"):
            with path.open() as log:
                for line in log:
                    yield int(line.split()[2])
