"""What a page reads when the forum around it grows: 10,000 posts, 100,000, a million.

    python3 dev.py bench --growth [--posts 10000 100000 1000000]

On PostgreSQL. Debates of 100 and 1,000 posts are made as for the other pages; what is around them
is made by SQL, fifty posts a debate, with all that belongs to so many posts: members, quotes, acts,
decided cases, read marks, notices, bookmarks, points of divergence on the map. Words to find by are
left out, which SQL cannot make; docs/performance.md has search apart.

Rows are those that PostgreSQL took from tables and indexes for one answer, as it counts them
itself, which no other work on the machine changes; nothing is kept between two requests. Processor
time is that of this process, and as the clock has it that of the database.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from django.db import connection
from django.test import Client

from tests.bench.migrations import add

SIZES = (10_000, 100_000, 1_000_000)
A_DEBATE = 50  # posts
FIRST = 100_000_000  # ids from here on, above those that are there
TIMES = 5
ROWS = (
    "SELECT pg_stat_force_next_flush()",
    "SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables)"
    " + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one answer took: statements, rows that were read, milliseconds of the application's
    processor time and of waiting for the database."""

    statements: int
    rows: int
    web: float
    database: float


def surround(first: int, last: int) -> None:
    """Add the posts `first` to `last` of those around, with all that belongs to them."""
    connection.ensure_connection()
    raw = connection.connection
    at, ago = f"{FIRST} + n", "now() - n * interval '1 minute'"
    board = "(SELECT array_agg(id ORDER BY id) FROM forum_board WHERE audience = 'public')"
    debate, member = f"{FIRST} + n / {A_DEBATE}", f"{FIRST} + (n * 7) % {max(last // 50, 1)}"

    def every(step: int, table: str, **columns: str) -> None:
        begin, end = -(-first // step), last // step
        if end >= begin:
            add(raw, table, end - begin + 1, begin, **columns)

    every(
        50,
        "accounts_user",
        id=at,
        username="'around-' || n",
        skeleton="'around-' || n",
        email="'a' || n || '@example.org'",
        is_active="true",
        date_joined=ago,
    )
    thread = {"id": at, "key": "'around-' || n", "title": "'Debate ' || n", "slug": "'debate'"}
    every(
        A_DEBATE,
        "forum_thread",
        **thread,
        board_id=f"{board}[1 + n % array_length({board}, 1)]",
        state="'visible'",
        kind="'WI'",
        policy="'open'",
        author_id=member,
        created_at=ago,
        last_post_at=ago,
        numbered=str(A_DEBATE),
        reply_count=str(A_DEBATE - 1),
        version="1",
        numbering="1",
        card="'{}'",
        lane_counts="'{}'",
    )
    text = "'Of the harvest of year ' || n || ' nobody knows more than that it failed.'"
    every(
        1,
        "forum_post",
        id=at,
        thread_id=debate,
        number=f"1 + n % {A_DEBATE}",
        key="'p' || n",
        author_id=member,
        state="'visible'",
        parent_basis="'reply'",
        lft="1",
        rght="2",
        tree_id=at,
        loaded_at=ago,
    )
    every(
        1,
        "forum_postrevision",
        id=at,
        post_id=at,
        number="1",
        format="'markdown'",
        source=text,
        plain=text,
        editor_id=member,
        sha256="md5(n::text)",
        created_at=ago,
    )
    every(
        1,
        "forum_postbody",
        post_id=at,
        revision_id=at,
        revision_number="1",
        html=f"'<p>' || {text} || '</p>'",
    )
    every(
        3,
        "forum_quote",
        id=at,
        post_id=f"{FIRST} + n * 3",
        revision_id=f"{FIRST} + n * 3",
        source_post_id=f"{FIRST} + n * 3 / 2",
        source_revision_id=f"{FIRST} + n * 3 / 2",
        source_passage="1",
        start="0",
        end="14",
        words="'Of the harvest'",
        verdict="'exact'",
    )
    reader = "(SELECT id FROM accounts_user WHERE username = 'reader')"
    few = f"CASE WHEN n % 20 = 0 THEN {reader} ELSE {member} END"
    every(
        100,
        "forum_readmark",
        user_id=reader,
        thread_id=f"{FIRST} + n * 2",
        ranges="'1-50'",
        count="50",
    )
    every(
        3,
        "forum_notice",
        id=at,
        member_id=few,
        post_id=f"{FIRST} + n * 3",
        kind="'post'",
        reasons="'reply'",
        created_at=ago,
        read_at="now()",
    )
    every(
        200,
        "forum_bookmark",
        id=at,
        member_id=few,
        post_id=f"{FIRST} + n * 200",
        created_at=ago,
    )
    here = f"{FIRST} + n * 20 / {A_DEBATE}"
    every(
        20,
        "forum_auditentry",
        id=at,
        actor_id=member,
        verb="'hide'",
        post_id=f"{FIRST} + n * 20",
        thread_id=here,
        created_at=ago,
        reason="'Off the point.'",
        detail="'{}'",
        board_id=f"(SELECT board_id FROM forum_thread WHERE id = {here})",
    )
    every(
        50,
        "forum_case",
        id=at,
        kind="'report'",
        post_id=f"{FIRST} + n * 50",
        opened_at=ago,
        decided_at="now()",
        report_count="1",
        decision_id=f"{FIRST} + n * 2",
    )
    every(
        A_DEBATE,
        "forum_divergence",
        id=at,
        thread_id=at,
        order="1",
        change="'It fails ' || n",
        edtf="'1936'",
        first_day="2_000_000 + n % 500_000".replace("_", ""),
        last_day="2_000_100 + n % 500_000".replace("_", ""),
        radius="0",
        latitude="(n % 160) - 80",
        longitude="(n % 340) - 170",
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE forum_thread SET last_post_id = (SELECT max(id) FROM forum_post WHERE"
            " thread_id = forum_thread.id) WHERE id BETWEEN %s AND %s",
            [FIRST + first // A_DEBATE, FIRST + last // A_DEBATE],
        )
        cursor.execute(
            "UPDATE forum_board SET thread_count ="
            " (SELECT count(*) FROM forum_thread WHERE board_id = forum_board.id)"
        )
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def _counted() -> Iterator[list[int]]:
    """Gives a list that afterwards holds how many rows were read."""
    found: list[int] = []
    before = _rows_read()
    yield found
    found.append(_rows_read() - before)


def _rows_read() -> int:
    with connection.cursor() as cursor:
        for statement in ROWS:
            cursor.execute(statement)
        (value,) = cursor.fetchone()
    return int(value)


def cost(ask: Callable[[], None]) -> Cost:
    """What an answer takes, once it was given before."""
    ask()
    own = min(_asked_of_nothing() for _ in range(3))
    with _counted() as rows:
        ask()
    waited: list[float] = []
    statements = []

    def wait(execute, *given):
        statements.append(given[0])
        began = time.perf_counter()
        try:
            return execute(*given)
        finally:
            waited[-1] += time.perf_counter() - began

    web = []
    with connection.execute_wrapper(wait):
        for _ in range(TIMES):
            waited.append(0.0)
            began = time.process_time()
            ask()
            web.append(time.process_time() - began)
    rows_read, sent = max(rows[0] - own, 0), len(statements) // TIMES
    return Cost(sent, rows_read, median(web) * 1e3, median(waited) * 1e3)


def _asked_of_nothing() -> int:
    with _counted() as rows:
        pass
    return rows[0]


def pages() -> dict[str, Callable[[], None]]:
    """What is asked for, by name."""
    from accounts.models import User
    from forum.models import Board, Post, Thread

    visitor, reader, staff = Client(), Client(), Client()
    reader.force_login(User.objects.get(username="reader"))
    admin, _ = User.objects.get_or_create(
        username="chief", defaults={"is_staff": True, "is_superuser": True, "skeleton": "chief"}
    )
    staff.force_login(admin)
    board = Board.objects.filter(audience="public").order_by("pk")[0]
    long = Thread.objects.get(key="bench-1000")
    small = Thread.objects.get(pk=FIRST + 10)
    post = Post.objects.get(thread=long, number=500)
    deep = Post.objects.filter(thread=long).order_by("-level", "pk")[0]
    quoted = Post.objects.get(pk=FIRST + 30)
    half = Thread.objects.filter(board=board).count() // 2
    middle = Thread.objects.filter(board=board).order_by("-last_post_at", "-pk")[half]
    moment = int(middle.last_post_at.timestamp() * 1_000_000)
    asked = {
        "front page": "/",
        "all debates": "/debates/",
        "a board": board.get_absolute_url(),
        "a board, half way down": f"{board.get_absolute_url()}?before={moment}-{middle.pk}",
        "a debate of 1,000, flat": f"{long.get_absolute_url()}?page=25",
        "a debate of 1,000, tree": f"{long.get_absolute_url()}?view=tree&page=25",
        "a debate of 50": small.get_absolute_url(),
        "its outline": f"/threads/{small.pk}/outline/",
        "a post's permalink": f"/posts/{post.pk}/",
        "its history": f"/posts/{post.pk}/history/",
        "its road": f"/posts/{deep.pk}/road/",
        "who quotes it": f"/posts/{quoted.pk}/quotes/",
        "a profile": "/members/member-1/",
        "a profile's debates": "/members/member-1/debates/",
        "nobody's profile": "/members/nobody-at-all/",
        "timeline": "/timeline/",
        "map": "/map/",
        "gallery": "/gallery/",
        "unanswered questions": "/questions/",
        "moderation log": "/log/",
        "feed of the forum": "/feed/",
        "feed of a board": f"/boards/{board.slug}/feed/",
        "feed of a debate": f"/threads/{long.pk}/feed/",
        "a part of the sitemap": "/sitemap-1.xml",
    }
    own = ["notices", "bookmarks", "drafts", "watching", "standing", "debates/?only=unread"]
    desk = [
        *("", "forum/case/", "forum/post/", "forum/thread/", "forum/auditentry/"),
        *("forum/member/", "forum/postrevision/", "forum/quote/", "forum/submission/"),
        *("forum/draft/", "forum/notice/", "forum/picture/", "forum/job/"),
    ]
    found = {
        f"{name}, {who}": (client, path)
        for name, path in asked.items()
        for who, client in (("visitor", visitor), ("member", reader))
    }
    found |= {
        f"{name}, member": (reader, f"/{name}/" if "?" not in name else f"/{name}") for name in own
    }
    found |= {f"desk {name or 'index'}": (staff, f"/admin/{name}") for name in desk}

    def ask(client: Client, path: str) -> Callable[[], None]:
        def once() -> None:
            response = client.get(path)
            if response.status_code not in (200, 302) and "nobody" not in path:
                raise RuntimeError(f"{path}: {response.status_code}")

        return once

    return {name: ask(client, path) for name, (client, path) in found.items()}


def measured(sizes: tuple[int, ...], say: Callable[[str], None]) -> list[str]:
    """The table, line by line: of each page what it reads and takes at each of these sizes."""
    logging.disable(logging.WARNING)  # of a profile that nobody has
    costs: dict[str, list[Cost]] = {}
    have = 0
    for size in sizes:
        say(f"{size:,} posts around ...")
        surround(have, size - 1)
        have = size
        for name, ask in pages().items():
            costs.setdefault(name, []).append(cost(ask))
    heads = " | ".join(f"{size:,}" for size in sizes)
    lines = [
        f"| page | statements | rows: {heads} | grown | ms: {heads} |",
        "|---|---|" + "---|" * (2 * len(sizes) + 1),
    ]
    for name, found in sorted(costs.items(), key=lambda pair: -_growth(pair[1])):
        rows = " | ".join(f"{cost.rows:,}" for cost in found)
        spent = " | ".join(f"{cost.web:.1f} + {cost.database:.1f}" for cost in found)
        lines.append(
            f"| {name} | {found[-1].statements} | {rows} | {_growth(found):.1f} | {spent} |"
        )
    return lines


def _growth(found: list[Cost]) -> float:
    return found[-1].rows / max(found[0].rows, 1)
