#!/usr/bin/env python3
"""Compares libs/dialect's grammar with PostgreSQL 15's, which pglast 5 (pip install 'pglast<6') carries.

    tests/oracle/grammar.py [-v] [FILE …]

FILE holds statements that end with a semicolon at a line's end; without one, statements.sql beside this script.
pglast's scanner is a little more lenient than the server's: it takes letters behind a number (1a) or a parameter ($1a),
and its positions after letters beyond ASCII are off.
Says of how many statements both think the same, and prints those of which they do not.
"""

import pathlib
import re
import subprocess
import sys

import pglast
from pglast.parser import ParseError

HERE = pathlib.Path(__file__).parent


def statements(text):
    for part in re.split(r";[ \t]*(?:\n|$)", text):
        lines = [line for line in part.split("\n") if not line.startswith("-- #")]
        part = "\n".join(lines).strip()
        if part:
            yield part


def theirs(sql):
    try:
        pglast.parse_sql(sql)
        return None, None
    except ParseError as error:
        message = error.args[0]
        location = error.args[1] if len(error.args) > 1 else None
        at_end = message.endswith("at end of input")
        return message, len(sql) if at_end and location is None else location


def ours(sqls):
    command = ["cargo", "run", "-q", "-p", "dialect", "--example", "grammar"]
    text = "".join(sql + "\0" for sql in sqls)
    run = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    for line in run.stdout.splitlines():
        if line == "ok":
            yield None, None
        else:
            _, position, message = line.split(" ", 2)
            yield message, int(position) if position != "-" else None


def main():
    names = [name for name in sys.argv[1:] if name != "-v"] or [HERE / "statements.sql"]
    sqls = [sql for name in names for sql in statements(pathlib.Path(name).read_text())]
    count = {}
    for sql, (found, place) in zip(sqls, ours(sqls), strict=True):
        message, location = theirs(sql)
        if message is None or found is None:
            verdict = (
                "accepted by both" if message is None and found is None
                else "only PostgreSQL accepts" if message is None
                else "only we accept"
            )
        elif place is not None and location is not None and place != location + 1:
            verdict = "other position"
        elif message != found.replace("\\n", "\n"):
            verdict = "other message"
        else:
            verdict = "refused by both alike"
        count[verdict] = count.get(verdict, 0) + 1
        if verdict not in ("accepted by both", "refused by both alike") or "-v" in sys.argv:
            print(f"{verdict}: {sql}\n    PostgreSQL: {message} {location}\n    here:       {found} {place}")
    for verdict in sorted(count):
        print(f"{count[verdict]:6} {verdict}")


main()
