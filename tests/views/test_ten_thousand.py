"""A debate of thousands of posts reads like one of 100: as many queries, as small pages, whatever
page one is on. JONBAR_LONG=1 asks it of ten thousand."""

import os
import random
from datetime import timedelta

from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from forum import tree
from forum.actions import judging, read_state
from forum.actions.composing import Composed
from forum.models import Board, Post, PostBody, PostRevision, Quote, State, Thread
from forum.text import markup, quoting
from forum.views.road import QUOTES
from tests.people import browser, make_member, start

SIZE = 10_000 if os.environ.get("JONBAR_LONG") == "1" else 2_000
WORDS = "The harbours of the north were closed to all who had not signed."
# Queries of a debate's page: at most so many, on pages with quotes both ways and mentions. The last
# page has one more for a member (posts that wait for approval), a page of the tree one more if it
# begins inside a branch.
MOST = {"visitor": {"flat": 5, "tree": 8}, "member": {"flat": 8, "tree": 10}}
# Of HTML: a member is told under every post what each act offered there means, some 240 bytes of
# which compression leaves a dozen.
KILOBYTES = {"visitor": 60, "member": 64}
SENTENCES = (
    "Nobody in the ministry believed the figures, least of all those who had written them down.",
    "It is one thing to build a fleet, and quite another to find coal for it in winter.",
    "The peasants of the upper valley had paid their dues in kind for two hundred years.",
    "If the marshal had lived another month, the treaty might have named other rivers.",
    "What became of the gold is known for three of the five trains, and guessed for the rest.",
    "An alliance that is not called upon is the cheapest and the best of all alliances.",
)


def texts(seed: int) -> tuple[str, str]:
    """A reply of some 120 words in three paragraphs, and the same with a quote before it."""
    dice = random.Random(seed)
    own = "\n\n".join(" ".join(dice.choices(SENTENCES, k=2)) for _ in range(3))
    own = f"{WORDS} {own} *{seed}* was @reader's number."
    return own, f"[quote]\n{WORDS}\n[/quote]\n\n{own}"


def build(board: Board, author: User, length: int) -> Thread:
    """A debate with the branches, quotes and mentions of a real one, written in bulk: a third
    answers the opening, a third a late post, a third makes one long exchange; half of all quote
    what they answer."""
    thread = start(board, author, title=f"A debate of {length}", text=texts(0)[0])
    opening = thread.posts.get()
    dice = random.Random(length)
    variants = [
        (text, markup.render(text, format="markdown")) for seed in range(40) for text in texts(seed)
    ]
    now = timezone.now()
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        ids = tree.new_ids(length - 1)
        rows, exchange = [opening], opening
        for number, pk in enumerate(ids, 2):
            kind = number % 3
            above = (opening, rows[dice.randrange(max(len(rows) - 40, 0), len(rows))], exchange)
            row = Post(
                pk=pk,
                thread=thread,
                number=number,
                author=author,
                parent=None if above[kind] is opening else above[kind],
                loaded_at=now + timedelta(microseconds=number),
                written_at=now,
                state=State.HIDDEN if number % 50 == 0 else State.VISIBLE,
            )
            row.answered = above[kind]
            rows.append(row)
            if kind == 2:
                exchange = row if number % 90 else opening
        labels = tree.labels((row.pk, row.parent_id) for row in rows)
        tree.write([tree.set_labels(row, labels[row.pk]) for row in rows[1:]])
        made = []
        for row in rows[1:]:
            text, rendered = variants[2 * (row.number % 40) + row.number % 2]
            composed = Composed(text, "markdown", rendered, [], rendered.html)
            made.append((composed, composed.revision(row, 1, editor=author, now=now)))
        PostRevision.objects.bulk_create((revision for _, revision in made), batch_size=500)
        PostBody.objects.bulk_create(
            (composed.body(revision) for composed, revision in made), batch_size=500
        )
        by_post = {revision.post_id: revision for _, revision in made}
        by_post[opening.pk] = opening.body.revision
        quotes = []
        for row in rows[1:]:
            if row.number % 2:
                source = by_post[row.answered.pk]
                match = quoting.find(WORDS, [quoting.Source(source.pk, source.plain)], named=1)
                quote = judging.quote_row(
                    ordinal=1, passage=1, words=WORDS, match=match, source=(row.answered, source)
                )
                quote.post, quote.revision = row, by_post[row.pk]
                quotes.append(quote)
        Quote.objects.bulk_create(quotes, batch_size=500)
        Thread.objects.filter(pk=thread.pk).update(
            numbered=length,
            reply_count=length - 1 - length // 50,
            last_post=rows[-1],
            last_post_at=rows[-1].loaded_at,
        )
    return Thread.objects.get(pk=thread.pk)


class TenThousand(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        earlier = timezone.now() - timedelta(days=1)
        board = Board.objects.create(name="After 1900", slug="after-1900")
        writer = make_member("writer")
        cls.reader = make_member("reader", date_joined=earlier)
        cls.small = build(board, writer, 100)
        cls.large = build(board, writer, SIZE)
        # A database learns of new rows by itself once they are committed; these never are.
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")

    def ask(self, address: str, user=None) -> tuple[int, str]:
        """How many queries an address takes, and what it answers."""
        client = browser(user)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address)
        assert response.status_code in (200, 302), address
        return len(captured), response.content.decode() or response["Location"]

    def pages(self, thread: Thread):
        """First, middle and last page, flat and as a tree."""
        last = thread.numbered // 20
        for view in ("flat", "tree"):
            for page in (1, last // 2, last):
                yield view, page, f"{thread.get_absolute_url()}?view={view}&page={page}"

    def reads_like_a_small_one(self, who: str, user) -> None:
        took = {}
        for thread in (self.small, self.large):
            for view, page, address in self.pages(thread):
                count, html = self.ask(address, user)
                assert html.count("<article") == 20
                size = len(html.encode())
                assert size <= KILOBYTES[who] * 1024, (address, size)
                took[thread.numbered, view, page] = count
        for view in ("flat", "tree"):
            small = {n for (length, v, _), n in took.items() if (length, v) == (100, view)}
            large = {n for (length, v, _), n in took.items() if (length, v) == (SIZE, view)}
            assert max(large) <= max(small), took
            assert max(large) <= MOST[who][view], took

    def test_a_visitor(self):
        self.reads_like_a_small_one("visitor", None)

    def test_a_member_who_has_read_everything(self):
        for thread in (self.small, self.large):
            read_state.mark_read(user=self.reader, thread=thread, numbers=[(1, thread.numbered)])
        self.reads_like_a_small_one("member", self.reader)

    def test_news_are_marked_and_written_in_as_many_steps(self):
        took = {}
        for thread in (self.small, self.large):
            for view, _, address in self.pages(thread):
                count, html = self.ask(address, self.reader)
                assert 'class="new">new<' in html or view == "tree"
                assert len(html.encode()) <= KILOBYTES["member"] * 1024
                took.setdefault((thread.numbered, view), []).append(count)
        assert max(took[SIZE, "flat"]) <= max(took[100, "flat"]), took
        assert max(took[SIZE, "tree"]) <= max(took[100, "tree"]), took

    def test_a_mark_full_of_holes(self):
        """Read out of order for years: every other page."""
        holes = [(n, n + 19) for n in range(1, SIZE, 40)]
        read_state.mark_read(user=self.reader, thread=self.large, numbers=holes)
        few, _ = self.ask(f"{self.small.get_absolute_url()}?page=1", self.reader)
        for page in (2, SIZE // 40, SIZE // 20):
            count, html = self.ask(f"{self.large.get_absolute_url()}?page={page}", self.reader)
            assert count <= few
            assert html.count('class="new">new<') == 20

    def test_the_way_to_the_first_unread(self):
        for thread, until in ((self.small, 50), (self.large, SIZE - 1_000)):
            read_state.mark_read(user=self.reader, thread=thread, numbers=[(1, until)])
        (few, _), (many, location) = (
            self.ask(f"/threads/{thread.pk}/new/", self.reader)
            for thread in (self.small, self.large)
        )
        assert many <= few
        assert f"page={SIZE // 20 - 49}#" in location

    def test_permalinks(self):
        for view in ("flat", "tree"):
            took = []
            for thread, number in ((self.small, 99), (self.large, SIZE - 1)):
                post = thread.posts.get(number=number)
                took.append(self.ask(f"/posts/{post.pk}/?view={view}")[0])
            assert took[1] <= took[0]

    def test_roads(self):
        took = []
        for thread in (self.small, self.large):
            deepest = thread.posts.filter(state=State.VISIBLE).order_by("-level", "pk").first()
            count, html = self.ask(f"/posts/{deepest.pk}/road/")
            took.append(count)
            assert html.count("<article") > 15
            assert len(html.encode()) <= 3 * KILOBYTES["visitor"] * 1024  # 40 steps
        assert took[1] <= took[0]

    def test_what_quotes_the_opening(self):
        took = []
        for thread in (self.small, self.large):
            opening = thread.posts.get(number=1)
            count, html = self.ask(f"/posts/{opening.pk}/quotes/")
            took.append(count)
            visible = opening.quoted_by.filter(post__state=State.VISIBLE)
            assert html.count("<h3>") == min(QUOTES, visible.count())
        assert took[1] <= took[0]

    def test_lists(self):
        """The counts of what is new scan no posts, and no list asks for each of its lines."""
        for address in ("/", "/boards/after-1900/"):
            both, html = self.ask(address, self.reader)
            assert f"{SIZE} new" in html.replace(",", "")
            Thread.objects.filter(pk=self.large.pk).update(state="hidden")
            one, _ = self.ask(address, self.reader)
            Thread.objects.filter(pk=self.large.pk).update(state="visible")
            assert both == one
