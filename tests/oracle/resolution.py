#!/usr/bin/env python3
"""Compares the choice of operators, functions, casts and common types with PostgreSQL 15's.

    cargo build -p dialect --example resolution
    tests/oracle/resolution.py target/debug/examples/resolution "host=localhost dbname=catalog"

The database is the one that libs/dialect/src/catalog/data/README.md tells how to make. The server is asked to parse
only, and to show the tree: that tells the chosen function, not only the type of the result. Every difference is a
line; behind those of a kind stands their number, and any difference makes it fail.
"""

import random
import re
import subprocess
import sys

import psycopg
from psycopg import pq

TYPES = """unknown bool bytea char name int8 int2 int4 text oid json jsonb float4 float8 money inet cidr macaddr
    bpchar varchar date time timetz timestamp timestamptz interval numeric uuid regclass regtype bit varbit xml
    citext record _int4 _text _numeric _timestamptz int4range nummultirange point tsvector tsquery jsonpath
    int2vector pg_lsn""".split()
# Those that the arguments of functions are varied with.
FEW = "unknown bool int2 int4 int8 numeric float4 float8 text varchar bpchar date timestamp timestamptz interval jsonb".split()
PSEUDO = {
    "any": ["int4", "unknown"], "anyelement": ["int4", "text"], "anyarray": ["_int4", "_text"],
    "anynonarray": ["int4"], "anyenum": ["int4"], "anyrange": ["int4range", "numrange"],
    "anymultirange": ["int4multirange"], "anycompatible": ["int4", "numeric", "text"],
    "anycompatiblearray": ["_int4", "_numeric"], "anycompatiblenonarray": ["int4"],
    "anycompatiblerange": ["int4range"], "anycompatiblemultirange": ["int4multirange"],
    "cstring": ["unknown"], "record": ["record"],
}
RESULT = {
    "CONST": "consttype", "RELABELTYPE": "resulttype", "COERCEVIAIO": "resulttype",
    "ARRAYCOERCEEXPR": "resulttype", "FUNCEXPR": "funcresulttype", "OPEXPR": "opresulttype",
    "ARRAYEXPR": "array_typeid", "ARRAY": "array_typeid", "COALESCE": "coalescetype", "COALESCEEXPR": "coalescetype",
    "AGGREF": "aggtype", "WINDOWFUNC": "wintype", "ROW": "row_typeid", "ROWEXPR": "row_typeid",
}
CHOSEN = {"FUNCEXPR": "funcid", "OPEXPR": "opno", "AGGREF": "aggfnoid", "WINDOWFUNC": "winfnoid"}
# Declared so, an argument stays what it is.
ANY = "2276"


def parse(tokens, token=None):
    """A node of PostgreSQL's textual trees: a dictionary of its fields, a list, or a word."""
    token = token or next(tokens)
    if token == "{":
        node, field = {"": next(tokens)}, None
        while (token := next(tokens)) != "}":
            if token.startswith(":"):
                field = token[1:]
            elif token in "{(":
                node.setdefault(field, parse(tokens, token))
            else:
                node.setdefault(field, token)
        return node
    if token == "(":
        items = []
        while (token := next(tokens)) != ")":
            items.append(parse(tokens, token))
        return items
    return token


class Server:
    def __init__(self, conninfo):
        self.connection = psycopg.connect(conninfo, autocommit=True)
        self.trees = []
        self.names = {}
        self.numbers = {}
        for number, name in self.connection.execute("SELECT oid, typname FROM pg_type"):
            self.numbers[name], self.names[number] = number, name
        self.rows = self.connection.execute(
            "SELECT oid::int, proname, proargtypes::oid[]::int[], proargnames, proargmodes::text[], provariadic::int,"
            " prokind, pronargdefaults, prorettype::int, CASE WHEN aggkind = 'o' THEN aggnumdirectargs::int END"
            " FROM pg_proc LEFT JOIN pg_aggregate ON aggfnoid = pg_proc.oid"
            " WHERE pronamespace IN ('pg_catalog'::regnamespace, 'public'::regnamespace)"
        ).fetchall()
        self.signs = self.connection.execute(
            "SELECT DISTINCT oprname, oprkind FROM pg_operator ORDER BY 1, 2"
        ).fetchall()

    def watch(self):
        self.connection.execute("SET client_min_messages = log")
        self.connection.execute("SET log_min_messages = panic")
        self.connection.execute("SET debug_pretty_print = off")
        self.connection.execute("SET debug_print_parse = on")
        detail, primary = pq.DiagnosticField.MESSAGE_DETAIL, pq.DiagnosticField.MESSAGE_PRIMARY
        self.connection.pgconn.notice_handler = lambda result: self.trees.append(
            (result.error_field(detail) or result.error_field(primary)).decode()
        )

    def ask(self, sql):
        """The expression that a query's only column is, or the SQLSTATE and message."""
        self.trees.clear()
        result = self.connection.pgconn.prepare(b"", sql.encode())
        code = result.error_field(pq.DiagnosticField.SQLSTATE)
        if code:
            return code.decode(), result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY).decode()
        text = next(tree for tree in self.trees if ":targetList" in tree)
        text = text[text.index(":targetList") + len(":targetList"):]
        tokens = iter(re.findall(r"[{}()]|(?:\\.|[^\s{}()])+", text))
        return parse(tokens)[0]["expr"]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def null(name):
    return "NULL" if name == "unknown" else f"NULL::{quoted(name)}"


def type_of(node):
    if node[""] == "NAMEDARGEXPR":
        node = node["arg"]
    return int(node[RESULT[node[""]]])


def of_call(node):
    """What PostgreSQL chose, as the example words it."""
    if isinstance(node, tuple):
        code, message = node
        word = {"42883": "none", "42725": "ambiguous"}.get(code)
        if word and not message.startswith("could not identify"):
            return word
        return f"error {code} {message}"
    if node[""] not in CHOSEN:
        return f"coercion {type_of(node)}"
    types = []
    if node[""] in ("FUNCEXPR", "OPEXPR") and node["args"] != "<>":
        types = [type_of(argument) for argument in apart(node)]
    return f"found {node[CHOSEN[node['']]]} {type_of(node)} {','.join(map(str, types))}"


def apart(call):
    """The arguments of a call, those that it collected on their own."""
    *arguments, last = call["args"]
    collected = last[""] in ("ARRAY", "ARRAYEXPR") and last["elements"] != "<>"
    return arguments + (last["elements"] if collected else [last])


def same(theirs, ours):
    if ours == theirs:
        return True
    if re.match("error (42809|42P20|42883 could not identify|XX000 failed to find)", theirs):
        # Found, but called without the clause that a window function or an ordered-set aggregate needs, or for a type
        # that has no order, or with a result of the type unknown, which is nothing that a query can give.
        return ours.startswith("found")
    if "polymorphic type any" in theirs and "polymorphic type any" in ours:
        # Which of several is named first.
        return True
    theirs, ours = theirs.split(" "), ours.split(" ")
    return theirs[0] == "found" and theirs[:3] == ours[:3] and same_arguments(theirs[3], ours[3])


def same_arguments(theirs, ours):
    # Of an aggregate's they are not read. Defaults stand behind the arguments of a call.
    pairs = zip(theirs.split(","), ours.split(","))
    return theirs == "" or all(left == right or right == ANY for left, right in pairs)


def operators(server):
    for sign, kind in server.signs:
        for right in TYPES:
            number = server.numbers[right]
            if kind == "l":
                yield f"SELECT {sign} {null(right)}", f"operator\t{sign}\t0\t{number}"
                continue
            for left in TYPES:
                question = f"operator\t{sign}\t{server.numbers[left]}\t{number}"
                yield f"SELECT {null(left)} {sign} {null(right)}", question


def actual(server, number, rng):
    name = server.names[number]
    return rng.choice(PSEUDO.get(name, [name]))


def call(server, name, types, names=(), variadic=False, over=False, direct=None):
    parts = [null(ty) for ty in types]
    for place, own in enumerate(names):
        if own:
            parts[place] = f"{quoted(own)} => {parts[place]}"
    if variadic:
        parts[-1] = f"VARIADIC {parts[-1]}"
    behind = " OVER ()" if over else ""
    if direct is not None and len(parts) > direct:
        behind = f" WITHIN GROUP (ORDER BY {', '.join(parts[direct:])})"
        parts = parts[:direct]
    numbers = ",".join(str(server.numbers[ty]) for ty in types)
    marks = ",".join(own or "" for own in names)
    question = f"function\t{name}\t{numbers}\t{marks}\t{'variadic' if variadic else ''}"
    return f"SELECT {quoted(name)}({', '.join(parts)}){behind}", question


def functions(server, rng):
    hidden = {"internal", "trigger", "event_trigger", "language_handler", "fdw_handler", "index_am_handler",
              "table_am_handler", "tsm_handler", "pg_ddl_command"}
    by_name = {}
    for row in server.rows:
        by_name.setdefault(row[1], []).append(row)
    for name, rows in sorted(by_name.items()):
        # Those that cannot be called are not in the tables, though an untyped NULL would do for them.
        if any(server.names[ty] in hidden for row in rows for ty in [*row[2], row[8]]):
            continue
        over = all(row[6] == "w" for row in rows)
        direct = rows[0][9]
        asked = set()
        for types in tuples(server, rows, rng):
            if types not in asked:
                asked.add(types)
                yield call(server, name, types, over=over, direct=direct)
        for row in rows:
            if not over and direct is None:
                yield from special(server, name, row, rng)
    for name in TYPES:
        if name != "unknown":
            yield from (call(server, name, (ty,)) for ty in TYPES)


def tuples(server, rows, rng):
    """Arguments like those of the functions of a name, and unlike."""
    for arity in sorted({len(row[2]) for row in rows}):
        yield ("unknown",) * arity
        yield ("unknown",) * (arity + 1)
        if arity == 1:
            yield from ((ty,) for ty in TYPES)
        elif arity > 1:
            for _ in range(12):
                yield tuple(rng.choice(TYPES) for _ in range(arity))
            for _ in range(24):
                yield tuple(rng.choice(FEW) for _ in range(arity))
    for row in rows:
        for _ in range(2):
            own = tuple(actual(server, ty, rng) for ty in row[2])
            yield own
            if row[5]:
                yield own + own[-1:] * 2
                element = server.names[row[5]]
                yield own[:-1] + (rng.choice(PSEUDO.get(element, [element])),) * 2
            for place in range(len(own)):
                for ty in FEW:
                    yield own[:place] + (ty,) + own[place + 1:]
            if len(own) > 1:
                for bits in range(1, min(1 << len(own), 32)):
                    yield tuple("unknown" if bits >> place & 1 else ty for place, ty in enumerate(own))
            for left_out in range(1, row[7] + 1):
                yield own[:-left_out]


def special(server, name, row, rng):
    """VARIADIC and names."""
    own = [actual(server, ty, rng) for ty in row[2]]
    if row[5] and server.names[row[5]] != "any":
        yield call(server, name, tuple(own), variadic=True)
        yield call(server, name, tuple(own[:-1] + ["unknown"]), variadic=True)
        yield call(server, name, tuple(own + ["_text"]), variadic=True)
    if not row[3]:
        return
    modes = row[4] or ["i"] * len(row[3])
    names = [own_name for own_name, mode in zip(row[3], modes) if mode in "ibv"]
    if not names or not all(names):
        return
    for _ in range(6):
        chosen = list(range(len(own)))
        positional = rng.randrange(len(own) + 1)
        rest = chosen[positional:]
        rng.shuffle(rest)
        if rest and rng.random() < 0.5:
            rest = rest[: rng.randrange(len(rest)) + 1]
        types = own[:positional] + [rng.choice([own[at], own[at], "unknown", "int4"]) for at in rest]
        given = [""] * positional + [names[at] for at in rest]
        if rest:
            yield call(server, name, tuple(types), names=given)
            yield call(server, name, tuple(types), names=given[:-1] + ["no_such"])


def compare_calls(kind, server, example, questions):
    questions = list(questions)
    answers = ask_example(example, [question for _, question in questions])
    differences = 0
    for (sql, _), ours in zip(questions, answers):
        theirs = of_call(server.ask(sql))
        if not same(theirs, ours):
            differences += 1
            print(f"{kind}: {sql}\n  theirs: {theirs}\n  ours:   {ours}")
    return len(questions), differences


def ask_example(example, questions):
    text = "".join(question + "\n" for question in questions)
    return subprocess.run([example], input=text, text=True, capture_output=True, check=True).stdout.splitlines()


def of_cast(node):
    if isinstance(node, tuple):
        return "none" if node[0] in ("42846", "42804") else f"error {node[0]} {node[1]}"
    word = {"CONST": "relabel", "RELABELTYPE": "relabel", "COERCEVIAIO": "text", "ARRAYCOERCEEXPR": "elements"}
    return word.get(node[""]) or f"function {node['funcid']}"


def compare_casts(server, example):
    base = [ty for ty in TYPES if ty not in ("unknown", "record")]
    for ty in base:
        server.connection.execute(f"CREATE TEMP TABLE {quoted('into_' + ty)} (v {quoted(ty)})")
    server.watch()
    questions = []
    for source in base + ["record"]:
        for target in base:
            pair = f"{server.numbers[source]}\t{server.numbers[target]}"
            questions.append((f"SELECT {null(source)}::{quoted(target)}", f"cast\t{pair}"))
            insert = f"INSERT INTO {quoted('into_' + target)} VALUES ({null(source)})"
            questions.append((insert, f"assign\t{pair}"))
    differences = 0
    for (sql, _), ours in zip(questions, ask_example(example, [q for _, q in questions])):
        theirs = of_cast(server.ask(sql))
        if theirs != ours:
            differences += 1
            print(f"cast: {sql}\n  theirs: {theirs}\n  ours:   {ours}")
    return len(questions), differences


def compare_common(server, example, rng):
    lists = [(left, right) for left in TYPES for right in TYPES]
    lists += [tuple(rng.choice(TYPES) for _ in range(rng.choice((3, 4)))) for _ in range(2000)]
    lists += [tuple(rng.choice(FEW) for _ in range(rng.choice((3, 4)))) for _ in range(3000)]
    asked = ["common\t" + ",".join(str(server.numbers[ty]) for ty in types) for types in lists]
    names = dict(server.connection.execute("SELECT oid, format_type(oid, NULL) FROM pg_type"))
    differences = 0
    for types, ours in zip(lists, ask_example(example, asked)):
        node = server.ask(f"SELECT COALESCE({', '.join(map(null, types))})")
        if isinstance(node, tuple):
            theirs = node[1]
            if node[0] == "42846" or "could not convert" in theirs:
                continue
        else:
            theirs = f"type {type_of(node)}"
        word, *places = ours.split(" ")
        if word == "apart":
            left, right = (names[server.numbers[types[int(place)]]] for place in places)
            ours = f"COALESCE types {left} and {right} cannot be matched"
        if theirs != ours:
            differences += 1
            print(f"common: {types}\n  theirs: {theirs}\n  ours:   {ours}")
    return len(lists), differences


def main():
    example, conninfo = sys.argv[1:3]
    rng = random.Random(1)
    server = Server(conninfo)
    failed = False
    for kind, compare in [
        ("casts", lambda: compare_casts(server, example)),
        ("common types", lambda: compare_common(server, example, rng)),
        ("functions", lambda: compare_calls("function", server, example, functions(server, rng))),
        ("operators", lambda: compare_calls("operator", server, example, operators(server))),
    ]:
        asked, differences = compare()
        print(f"{kind}: {asked} compared, {differences} differences", flush=True)
        failed |= differences > 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
