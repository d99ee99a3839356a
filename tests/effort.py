"""How much the database does for an act, in rows and steps, which no other work on the machine
changes."""

import re
from collections.abc import Callable

from django.db import connection

# How PostgreSQL may go through a table of a few rows, and does not go through one of millions.
SMALL = ("seqscan", "sort", "bitmapscan", "hashjoin", "mergejoin")


def effort(act: Callable, of: str = "forum_thread", *, without: tuple[str, ...] = SMALL) -> int:
    """Rows that PostgreSQL reads for those statements of `act` that read the table `of`, tens of
    steps that SQLite takes for all of it. `without`: the ways that PostgreSQL is not to choose, by
    default as in a forum so large that reading all of it is no choice."""
    return _rows(act, of, without) if connection.vendor == "postgresql" else _steps(act)


def _rows(act: Callable, of: str, without: tuple[str, ...]) -> int:
    asked = []

    def note(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        act()
    with connection.cursor() as cursor:
        for way in without:
            cursor.execute(f"SET LOCAL enable_{way} = off")
        found = 0
        for sql, params in asked:
            reads = re.search(rf'FROM "?{of}\b', sql)
            if reads and sql.lstrip().startswith(("SELECT", "WITH")):
                cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql}", params)
                plan = "\n".join(line for (line,) in cursor)
                # A bitmap names all old versions of a row, hundreds of one that the test changed
                # often, and its heap scan takes one of them; what it reads beside other bitmaps
                # that are laid over it counts.
                kind = r"Scan" if "BitmapAnd" in plan else r"(?<!Bitmap Index )Scan"
                scans = re.findall(rf"{kind} .*rows=([\d.]+) loops=(\d+)", plan)
                found += sum(round(float(rows) * int(loops)) for rows, loops in scans)
                found += sum(map(int, re.findall(r"Removed by Filter: (\d+)", plan)))
        for way in without:
            cursor.execute(f"SET LOCAL enable_{way} = on")
    return found


def _steps(act: Callable) -> int:
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection.connection.set_progress_handler(count, 10)
    try:
        act()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return taken


def analyzed() -> None:
    """Let PostgreSQL know what each table holds, as it does after a while by itself. Of one that it
    last looked at while it was empty it believes that it has a row, and reads all of it for one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {', '.join(connection.introspection.table_names())}")
