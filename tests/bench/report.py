"""What a run says: a table for a terminal, one in Markdown, and JSON."""

import os
import platform
import statistics
import time

from figures import FIGURES, Row

BEGIN, END = "<!-- run.py writes from here -->", "<!-- run.py writes to here -->"


def rows(results):
    """The figures that were measured. `results[work][system]` is a list of rounds."""
    found = []
    for figure in FIGURES:
        medians, disturbed = {}, False
        for system, rounds in results.get(figure.work, {}).items():
            key = (figure.key_limit or figure.key) if system == "limit" else figure.key
            values = [one[key] for one in rounds if key in one]
            if values:
                medians[system] = statistics.median(values)
                # The median of five stands when two of them are disturbed.
                bad = sum(one.get("disturbed", False) for one in rounds)
                disturbed |= 2 * bad >= len(rounds)
        if "eloqdb" in medians or len(medians) > 1:
            found.append(Row(figure, medians, disturbed))
    return found


def number(value):
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.001 or value == 0 else f"{value:.2e}"


def _ratio(row, system):
    ratio, reached = row.ratio(system), row.reached(system)
    if ratio is None:
        return ""
    bar = row.figure.bar_postgresql if system == "postgresql" else row.figure.bar_limit
    if bar is None:
        return f"{ratio:.2f}"
    sign = "≥" if row.figure.more_is_better else "≤"
    return f"{ratio:.2f} ({sign} {bar:g}{'' if reached else ', missed'})"


def text(table):
    """For a terminal."""
    systems = [name for name in ("postgresql", "limit")
               if any(name in row.medians for row in table)]
    lines = [f"{'':47}{'unit':>6}{'eloqdb':>11}" +
             "".join(f"{name:>11}{'ours / its':>22}" for name in systems)]
    for row in table:
        line = (f"{row.figure.label:47}{row.figure.unit:>6}"
                f"{number(row.medians.get('eloqdb')):>11}")
        for name in systems:
            line += f"{number(row.medians.get(name)):>11}{_ratio(row, name):>22}"
        lines.append(line + ("  disturbed" if row.disturbed else ""))
    return "\n".join(lines)


def markdown(table, head):
    """For docs/benchmarks.md."""
    lines = [BEGIN, "", f"{head}", "",
             "| | unit | eloqdb | PostgreSQL | eloqdb / PostgreSQL | limit | eloqdb / limit |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for row in table:
        mark = "*" if row.disturbed else ""
        cells = [row.figure.label + mark, row.figure.unit, number(row.medians.get("eloqdb")),
                 number(row.medians.get("postgresql")), _ratio(row, "postgresql"),
                 number(row.medians.get("limit")), _ratio(row, "limit")]
        lines.append("| " + " | ".join(cells) + " |")
    if any(row.disturbed for row in table):
        lines += ["", "\\* Somebody else used the machine in half of the rounds or more."]
    return "\n".join([*lines, "", END])


def write_markdown(path, block):
    """Between the marks of a page, or as a new page."""
    page = path.read_text() if path.exists() else f"{BEGIN}\n{END}\n"
    head, found, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not found or not end:
        raise SystemExit(f"run.py: {path} lacks the lines\n{BEGIN}\n{END}")
    path.write_text(head + block + tail)


def head(rounds, seconds, versions, disk):
    """When, where, and how."""
    with open("/proc/cpuinfo") as cpus:
        models = [line.split(":")[1].strip() for line in cpus if line.startswith("model name")]
    model = f", {models[0]}" if models else ""
    return (f"{time.strftime('%F', time.gmtime())}, {os.cpu_count()} cores{model}, Linux "
            f"{platform.release().split('-')[0]}, {disk['syncs_per_second']:,} fdatasyncs a "
            f"second of an overwritten 4 KiB; {', '.join(versions)}; medians of {rounds} "
            f"round{'s' * (rounds > 1)}, loads of {seconds} s.")


def bars(table):
    """The rows that miss a bar."""
    return [row.figure.label for row in table
            if False in (row.reached("postgresql"), row.reached("limit"))]
