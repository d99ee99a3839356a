"""What "Already argued?" and the timeline cost in a forum of 10,000 debates: run it as
`python -m tests.bench.argued [--database sqlite|postgres] [--debates 10000]`.

Debates are rows made in bulk: words of an invented vocabulary, as unequally frequent as in any
language, dates from 2000 BC on. Each question is asked as a visitor asks it; what is told is the
median of the clock on the wall, the queries, and the rows that the database handed over.
"""

import argparse
import contextlib
import statistics
import tempfile
import time
from pathlib import Path
from random import Random

from tests.bench.__main__ import _postgres, _settings, postgres_server, say

ASKED = 40
WORDS = {"title": 5, "change": 7, "actor": 2, "place": 1}


def fill(count: int) -> list[dict]:
    """Make the debates; gives what drafts like every n-th of them hold."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from forum.models import Board, Divergence, Thread, ThreadWord
    from forum.search.similarity import words_by_role
    from forum.text.history_dates import read
    from tests.bench.fill import Writer

    call_command("collectstatic", verbosity=0, interactive=False)
    call_command("migrate", verbosity=0, interactive=False)
    board = Board.objects.create(name="All of history", slug="all")
    random = Random(1848)
    writer = Writer(random)
    now = timezone.now()
    texts = [
        {
            name: " ".join(random.choices(writer.words, cum_weights=writer.weights, k=many))
            for name, many in WORDS.items()
        }
        for _ in range(count)
    ]
    made = Thread.objects.bulk_create(
        [
            Thread(
                board=board,
                title=text["title"],
                slug="debate",
                key=f"debate-{n}",
                byline="Voice 1",
                created_at=now,
                last_post_at=now,
            )
            for n, text in enumerate(texts)
        ],
        batch_size=1_000,
    )
    divergences, words = [], []
    for thread, text in zip(made, texts, strict=True):
        # More debates about recent centuries than about old ones, as anywhere.
        year = int(2_000 - 4_000 * random.random() ** 3)
        date = read(f"{year}" if year > 99 else f"AD {year}" if year > 0 else f"{1 - year} BC")
        divergence = Divergence(
            thread=thread,
            order=1,
            change=text["change"],
            actor=text["actor"],
            place=text["place"],
            edtf=date.edtf,
            first_day=date.first,
            last_day=date.last,
        )
        divergences.append(divergence)
        words += [
            ThreadWord(thread=thread, word=word, role=role)
            for role, found in words_by_role(thread.title, [divergence]).items()
            for word in found
        ]
    Divergence.objects.bulk_create(divergences, batch_size=1_000)
    ThreadWord.objects.bulk_create(words, batch_size=1_000)
    say(f"{count:,} debates, {len(words):,} words")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    step = max(count // ASKED, 1)
    return [
        {
            # A draft in part the same, in part other words.
            "title": texts[n]["title"].rpartition(" ")[0],
            "fork": divergences[n],
        }
        for n in range(0, count, step)
    ]


def measure(name: str, asks) -> None:
    """Ask each once unmeasured, then measured; print the line of the table."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took, queries, rows = [], set(), []
    for ask in asks:
        ask()
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
        read = 0

        def counted(execute, sql, params, many, context):
            nonlocal read
            result = execute(sql, params, many, context)
            read += max(context["cursor"].rowcount, 0)
            return result

        with CaptureQueriesContext(connection) as context, connection.execute_wrapper(counted):
            ask()
        queries.add(len(context))
        rows.append(read)
    took.sort()
    told = str(round(statistics.median(rows))) if any(rows) else ""  # SQLite does not say
    print(  # noqa: T201
        f"| {name} | {statistics.median(took):.0f} | {took[int(len(took) * 0.95)]:.0f} | "
        f"{'–'.join(map(str, sorted(queries)))} | {told} |"
    )


def main() -> None:
    """Fill, ask, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--debates", type=int, default=10_000)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.database == "postgres":
            url = stack.enter_context(postgres_server())
            admin = url.rpartition("/")[0] + "/postgres"
            _postgres("createdb", "--maintenance-db", admin, "jonbar")
        else:
            url = f"sqlite:///{folder / 'argued.sqlite3'}"
        _settings(url, folder)
        drafts = fill(options.debates)

        from django.contrib.auth.models import AnonymousUser
        from django.db import connection
        from django.test import Client

        from forum.search import similarity

        guest, client = AnonymousUser(), Client(SERVER_NAME="127.0.0.1")

        def asked(draft):
            divergence = draft["fork"]
            return lambda: similarity.already_argued(
                guest,
                spans=[(divergence.first_day, divergence.last_day)],
                words=similarity.words_by_role(draft["title"], [divergence]),
            )

        def opened(query):
            return lambda: client.get(f"/timeline/{query}")

        print("| | ms (median) | ms (95 %) | queries | rows |\n|---|---|---|---|---|")  # noqa: T201
        measure("already argued", [asked(draft) for draft in drafts])
        measure("timeline, first page", [opened("")] * 10)
        measure("timeline, 1900 to 1950", [opened("?from=1900&to=1950")] * 10)
        measure("timeline, by place", [opened("?place=ba")] * 10)
        connection.close()


if __name__ == "__main__":
    main()
