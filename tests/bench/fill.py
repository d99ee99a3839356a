"""Fills a forum to be measured: boards, members, small debates and a few large ones.

Everything comes in through the forum's own doors: large threads as fixtures through the importer,
small ones through the actions that the pages call. Texts are made of invented words and are the
same at every run. Afterwards the bylines of the large threads become members, since the names on
the pages of a living forum lead to profiles.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from uuid import UUID

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from forum.actions import posts, threads
from forum.models import Board, Post, Thread
from forum.permissions import may
from forum.transfer import loading, parsing

MEMBERS = 40
SMALL = 184  # with the large threads and those of ten posts, about 200 in all
TENS = 12  # threads of ten posts: several, so that replies do not make one of them large
BOARD = "after-1900"
SYLLABLES = "ba ce di fo gu ha ke li mo nu pa re si to vu ze ra no mi te al en or us".split()
LONGEST = 400  # words of one post


def stamp(sizes: Iterable[int]) -> str:
    """A word that is different whenever the filled database would be: other sizes, another
    generator, other tables."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in sorted(root.glob("*/migrations/0*.py")):
        digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    digest.update(repr(tuple(sizes)).encode())
    return digest.hexdigest()[:12]


def name_of(number: int) -> str:
    """The name of the n-th member, from 1."""
    return f"member-{number}"


@dataclass(slots=True)
class Writer:
    """Makes texts out of a vocabulary whose words are as unequally frequent as in any language."""

    random: Random
    words: list[str] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        seen = {"".join(self.random.choices(SYLLABLES, k=1 + n % 4)) for n in range(6_000)}
        self.words = sorted(seen, key=lambda word: (len(word), word))
        self.weights = list(accumulate(1 / (rank + 8) for rank in range(len(self.words))))

    def sentence(self) -> str:
        """Six to eighteen words; now and then some of them stressed, or a member named."""
        random = self.random
        count = random.randint(6, 18)
        words = random.choices(self.words, cum_weights=self.weights, k=count)
        dice = random.random()
        if dice < 0.05:
            words[3] = f"*{words[3]}*"
        elif dice < 0.055:
            words[4] = f"@{name_of(random.randint(1, MEMBERS))}"
        return " ".join(words).capitalize() + "."

    def text(self) -> list[list[str]]:
        """A post's own words: paragraphs of sentences, about 100 words, seldom 400."""
        wanted = min(self.random.lognormvariate(4.3, 0.8), LONGEST)
        paragraphs: list[list[str]] = [[]]
        said = 0
        while not said or said < wanted:
            if len(paragraphs[-1]) == 4:
                paragraphs.append([])
            paragraphs[-1].append(self.sentence())
            said += paragraphs[-1][-1].count(" ") + 1
        return paragraphs


def answered(random: Random, count: int) -> int:
    """The number, 1 to `count`, of the post that the next one answers: often the opening, mostly
    one of the last few, now and then an old one, and an early one sooner than a late one."""
    dice = random.random()
    if dice < 0.28:
        return 1
    if dice < 0.85:
        return max(count - int(random.expovariate(1 / 5)), 1)
    return 1 + int(count * random.random() ** 2)


def plain(paragraphs: list[list[str]]) -> str:
    """Paragraphs as Markdown."""
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)


def quoted(writer: str, words: str) -> str:
    """Words as a quote. `writer` may name the post too; a fixture's rows say which it is."""
    return f'[quote="{writer}"]\n{words}\n[/quote]\n\n'


def thread_fixture(writer: Writer, key: str, size: int, board: str) -> bytes:
    """A thread fixture of `size` posts. Every third post quotes an exact passage of the post that
    it answers: a sentence or a whole paragraph."""
    random = writer.random
    title = " ".join(random.choices(writer.words, cum_weights=writer.weights, k=6)).capitalize()
    began = timezone.now() - timedelta(days=700)
    step = timedelta(days=690) / size
    objects = [_thread(key, title, board)]
    quotes = []
    said: list[list[list[str]]] = []
    bylines: list[str] = []
    for number in range(1, size + 1):
        paragraphs = writer.text()
        text = plain(paragraphs)
        bylines.append(name_of(1 + int(MEMBERS * random.random() ** 2)))
        up = answered(random, number - 1) if number > 1 else 0
        if number % 3 == 0:
            passage = random.choice(said[up - 1])
            words = " ".join(passage) if random.random() < 0.4 else random.choice(passage)
            text = quoted(bylines[up - 1], words) + text
            quotes.append(_quote(key, number, up))
        said.append(paragraphs)
        objects.append(_post(key, number, up, bylines[-1], began + number * step, text))
    return json.dumps(objects + quotes).encode()


def _thread(key: str, title: str, board: str) -> dict:
    fields = {"key": key, "format": 1, "version": 1, "board": [board], "title": title, "kind": "WI"}
    return {"model": "forum.thread", "fields": fields}


def _post(key: str, number: int, up: int, byline: str, written_at: datetime, text: str) -> dict:
    fields = {
        "key": f"{key}-{number}",
        "thread": [key],
        "parent": [f"{key}-{up}"] if up > 1 else None,
        "parent_basis": "reply" if up else "opening",
        "byline": byline,
        "written_at": written_at.isoformat(),
        "format": "markdown",
        "text": text,
    }
    return {"model": "forum.post", "fields": fields}


def _quote(key: str, number: int, source: int) -> dict:
    fields = {"post": [f"{key}-{number}"], "ordinal": 1, "source_post": [f"{key}-{source}"]}
    return {"model": "forum.quote", "fields": fields}


def fill(sizes: Iterable[int], say) -> None:
    """Migrate the empty database and fill it: one thread of each of `sizes`, and the rest."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("loaddata", "boards", verbosity=0)
    members = [User.objects.create_user(name_of(n)) for n in range(1, MEMBERS + 1)]
    writer = Writer(Random(1907))
    for size in [*[10] * TENS, *sizes]:
        key = f"bench-{size}" if size > 10 else f"bench-10-{writer.random.getrandbits(32):08x}"
        data = thread_fixture(writer, key, size, BOARD)
        loading.load(parsing.read(data, f"{key}.json"))
        if size > 10:
            say(f"  a thread of {size:,} posts, {len(data) / size:,.0f} bytes each")
    for member in members:
        Post.objects.filter(byline=member.username).update(author=member, byline="")
        Thread.objects.filter(byline=member.username).update(author=member, byline="")
    _small_threads(writer, members)
    say(f"  {SMALL} debates of members")
    # Everything counts as read for one reader, nothing for the other.
    User.objects.create_user("reader")
    User.objects.create_user("newcomer", read_until=timezone.now() - timedelta(days=9_000))
    User.objects.filter(username__startswith="member-").update(read_until=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("ANALYZE")


def _small_threads(writer: Writer, members: list[User]) -> None:
    """Debates as members hold them: most of a few posts, some of a hundred."""
    random = writer.random
    open_boards = [
        board for board in Board.objects.order_by("pk") if may(members[0], "start", board)
    ]
    for _ in range(SMALL):
        thread = threads.start(
            user=random.choice(members),
            board=random.choice([Board.objects.get(slug=BOARD), *open_boards[:3]]),
            title=" ".join(random.choices(writer.words, k=5)).capitalize(),
            kind=random.choice(Thread.Kind.values),
            source=plain(writer.text()),
            own_answer=writer.sentence(),
            token=UUID(int=random.getrandbits(128)),
        )
        for number in range(2, 2 + min(int(random.paretovariate(0.9)), 100)):
            parent = Post.objects.select_related("author", "thread__board", "body__revision").get(
                thread=thread, number=answered(random, number - 1)
            )
            words = parent.body.revision.plain.partition("\n")[0] if number % 3 == 0 else ""
            posts.reply(
                user=random.choice(members),
                thread=thread,
                parent=parent,
                source=quoted(f"{parent.writer}, post: {parent.pk}", words) * bool(words)
                + plain(writer.text()),
                token=UUID(int=random.getrandbits(128)),
            )
