"""The tables that all works use, and how one knows that a replica has everything."""

import time

from machine import Patience
from wire import Refused

TABLES = """
CREATE TABLE accounts (id int PRIMARY KEY, balance int, pad text);
CREATE TABLE history (id serial PRIMARY KEY, account int, delta int, at int);
CREATE TABLE marker (id int PRIMARY KEY);
CREATE TABLE lag (id int PRIMARY KEY);
"""
ROWS_PER_INSERT = 250_000


def fill(system, rows, database=0):
    """The tables, and so many accounts."""
    with system.connect("primary", database) as session:
        session.rows(TABLES)
        for start in range(1, rows + 1, ROWS_PER_INSERT):
            end = min(start + ROWS_PER_INSERT - 1, rows)
            session.rows("INSERT INTO accounts SELECT number, 0, repeat('x', 84) "
                         f"FROM generate_series({start}, {end}) AS number")
        if system.NAME == "postgresql":
            session.rows("VACUUM ANALYZE accounts")


def start(system, rows, replicas=1, databases=1):
    """A system with its data and its replicas, all of them up to date."""
    system.prepare(replicas, databases)
    if system.NAME == "limit":
        return
    for database in range(databases):
        fill(system, rows, database)
    system.settle()
    system.attach_replicas()
    for replica in range(replicas):
        wait_for_replica(system, replica=replica)


def wait_for_replica(system, began=None, replica=0, database=0):
    """Adds a row to the primary and waits until the replica shows it; gives the seconds."""
    began = began or time.monotonic()
    with system.connect("primary", database) as session:
        mark = int(session.value("SELECT coalesce(max(id), 0) + 1 FROM marker"))
        session.rows(f"INSERT INTO marker VALUES ({mark})")
    question = f"SELECT id FROM marker WHERE id = {mark}"
    session = None

    def has_it():
        nonlocal session
        system.check_alive()
        try:
            session = session or system.connect("replica", database, replica)
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

    Patience(600).until("the replica to have the last transaction", has_it)
    session.close()
    return time.monotonic() - began


def commits(system):
    """The transactions that every load but the autocommit one leaves a row of."""
    with system.connect("primary") as session:
        return int(session.value("SELECT count(*) FROM history"))


def check_equal(system):
    """The same sums on both sides; an error when they differ."""
    wait_for_replica(system)
    question = ("SELECT (SELECT count(*) FROM history), (SELECT sum(delta) FROM history), "
                "(SELECT sum(balance) FROM accounts)")
    with system.connect("primary") as primary, system.connect("replica") as replica:
        here, there = primary.rows(question), replica.rows(question)
    if here != there:
        raise RuntimeError(f"{system.NAME}: the replica differs from its primary: {here}, {there}")
