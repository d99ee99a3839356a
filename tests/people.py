"""The people of every test, known by what they are, and a debate for them to meet in.

Opener and answerer wrote in the debate, the stranger is a member who did not. The moderator
reaches all boards, the board moderator only `board`, the administrator everything; the guest has
no account. Whoever reads a test knows at once who should be refused.
"""

import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from threading import BoundedSemaphore
from types import SimpleNamespace
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.test import override_settings

from accounts.models import User
from core import clock
from forum import tree
from forum.actions import composing, posts, threads
from forum.models import Board, Job, Picture, PictureUse, Post, State, Thread
from forum.operations import downloads, pictures
from forum.rendering import context
from forum.text.history_dates import day
from tests.reading import Reader

OPENING = (
    "Suppose that Lenin had named a successor in 1923, and that the party had obeyed.\n\n"
    "Would the purges have come all the same?"
)

OWN_ANSWER = "The party would have split, since nobody else held it together."

PASSWORD = "jonbar point of 1934"

# Passwords that cost nothing to hash, and no limit on how fast one may write.
UNHURRIED = {
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    "POSTS_PER_MINUTE": 0,
    "STARTS_PER_HOUR": 0,
    "REPEAT_MINUTES": 0,
    "HOLD_NEW_LINKS": False,
}

# Who has which name and rights.
ROLES = {
    "opener": ("opener", {}),
    "answerer": ("answerer", {}),
    "stranger": ("stranger", {}),
    "moderator": ("keeper", {"is_staff": True, "is_moderator": True}),
    "administrator": ("chief", {"is_staff": True, "is_superuser": True}),
}


def make_member(name: str, **rights) -> User:
    """A member with this name, whose address is confirmed; `rights` are fields such as
    is_moderator."""
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, **rights)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def start(
    board: Board, author: User, title="What if Lenin had lived?", text=OPENING, *, kind="WI"
) -> Thread:
    """Open a debate."""
    return threads.start(
        user=author,
        board=board,
        title=title,
        kind=kind,
        source=text,
        token=uuid4(),
        own_answer=OWN_ANSWER,
    )


def reply(thread: Thread, author: User, text="An answer.", to: Post | None = None, **more) -> Post:
    """Answer in a debate, or one of its posts; `more`: what else a reply can have."""
    return posts.reply(user=author, thread=thread, source=text, token=uuid4(), parent=to, **more)


def quoting(post: Post, words: str, then="I doubt it.") -> str:
    """A text that quotes `words` of a post."""
    return f'[quote="{post.writer}, post: {post.pk}"]\n{words}\n[/quote]\n\n{then}'


def shown_picture(post: Post, words: str, *, member: User) -> Picture:
    """A picture that a post shows, see `sent_picture`."""
    picture = sent_picture(words, member=member)
    PictureUse.objects.create(
        picture=picture, post=post, revision=post.body.revision, thread=post.thread
    )
    return picture


def sent_picture(words: str, *, member: User) -> Picture:
    """A map of 1937 that no post shows yet; its words and its bytes are these, since whoever looks
    for leaks looks for words. It was never decoded."""
    data = words.encode()
    sha256 = hashlib.sha256(data).hexdigest()
    picture = Picture.objects.create(
        member=member,
        created_at=clock.now(),
        state=Picture.State.READY,
        kind=Picture.Kind.PNG,
        sent_sha256=sha256,
        sent_bytes=len(data),
        sha256=sha256,
        width=1,
        height=1,
        alt=words,
        shows=Picture.Shows.MAP,
        title=words,
        legend=words,
        moment="1937",
        edtf="1937",
        first_day=day(1937, 1, 1),
        last_day=day(1937, 12, 31),
        tiles=Picture.Tiles.READY,
    )
    pictures.add(data, pictures.name_of(sha256, "png"))
    pictures.add(data, pictures.tile_name(sha256, 0, 0, 0))
    return picture


def edit(post: Post, text: str, reason="") -> Post:
    """Give a post a new text, by its author."""
    post = fresh(post)
    base = post.body.revision_number
    posts.edit(user=post.author, post=post, source=text, reason=reason, base=base)
    return fresh(post)


def pending(thread: Thread, author: User, text="May I come in?", to: Post | None = None) -> Post:
    """A reply that waits for approval."""
    composed = composing.compose(user=author, board=thread.board, source=text, thread=thread)
    with transaction.atomic():
        (thread,) = tree.lock(thread.pk)
        post = Post(thread=thread, parent=to, author=author, state=State.PENDING)
        posts.add(post, composed, editor=author)
    return post


def fresh(row):
    """The row as it stands in the database, with nothing kept in memory."""
    return type(row)._base_manager.get(pk=row.pk)


def browser(user=None, **options) -> Reader:
    """A client that is signed in as `user`, and reads pages as browsers do."""
    client = Reader(**options)
    if user is not None and user.is_authenticated:
        client.force_login(user)
    return client


def dump(*models) -> dict:
    """All rows of these models, to compare before with after."""
    return {model: list(model.objects.order_by("pk").values()) for model in models}


class _Page(HTMLParser):
    """Collects what a form would send: values of fields, texts of textareas."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.area: str | None = None
        self.choice: str | None = None

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if tag == "textarea":
            self.area = given.get("name") or given["id"].removeprefix("kept-")
            self.texts[self.area] = ""
        elif tag == "input" and "name" in given:
            self.fields[given["name"]] = given.get("value", "")
        elif tag == "select":
            self.choice = given.get("name")
        elif tag == "option" and self.choice:  # the first, unless another is chosen
            if "selected" in given or self.choice not in self.fields:
                self.fields[self.choice] = given.get("value", "")

    def handle_endtag(self, tag) -> None:
        if tag == "textarea":
            self.area = None

    def handle_data(self, data) -> None:
        if self.area is not None:
            self.texts[self.area] += data


def typed(response) -> dict[str, str]:
    """What stands in the textareas of a page, as a browser shows it (which drops one line break
    at the beginning), and in its input fields."""
    page = _Page()
    page.feed(response.content.decode())
    texts = {name: re.sub(r"\A\r?\n", "", text) for name, text in page.texts.items()}
    return page.fields | texts


def play(role: str) -> User:
    """The member of this role, out of ROLES."""
    name, rights = ROLES[role]
    return make_member(name, **rights)


def debate(board: Board, opener: User, answerer: User) -> Thread:
    """A debate of four posts: the opening, two answers to it, and an answer to the first of
    these. It was there before: nobody is told of it."""
    thread = start(board, opener)
    first = reply(thread, answerer, "The party obeyed nobody.\n\nIt had a secretary, after all.")
    reply(thread, opener, "That is a point.", to=first)
    reply(thread, answerer, "Which purges do you mean?")
    Job.objects.all().delete()
    return fresh(thread)


def cast() -> SimpleNamespace:
    """Everybody of ROLES, two boards and the debate, by the names of the fixtures below."""
    made = SimpleNamespace(**{role: play(role) for role in ROLES})
    made.board = Board.objects.create(name="After 1900", slug="after-1900")
    made.other_board = Board.objects.create(name="Antiquity", slug="antiquity")
    made.thread = debate(made.board, made.opener, made.answerer)
    made.answer = made.thread.posts.get(number=2)
    return made


def settled_row(name: str):
    """A fixture that is the row called `name` of the module's own fixture `world`, read anew for
    each test: what is built once, see `settled`, must not carry what a test did to an object."""

    @pytest.fixture
    def row(world, db):
        return fresh(getattr(world, name))

    return row


@pytest.fixture(scope="module")
def settled(django_db_setup, django_db_blocker) -> Iterator[None]:
    """A transaction about all tests of a module, for a fixture of the module that builds what all
    of them find: as each test is rolled back to its beginning, so is this in the end. Not for
    modules whose tests commit."""
    with django_db_blocker.unblock(), override_settings(**UNHURRIED), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def picture_folder(settings, tmp_path) -> Iterator[Path]:
    """Where the pictures of one test are kept, and go with it."""
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "pictures"
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    storage["OPTIONS"] = {"location": folder}
    with override_settings(STORAGES={**settings.STORAGES, "pictures": storage}):
        yield folder


@pytest.fixture(autouse=True)
def unhurried(settings, monkeypatch):
    """As in UNHURRIED. No pages are kept for visitors either: tests write rows past the actions,
    which raise no version. What stands at the foot of pages is known, so that no page asks for it
    by chance."""
    monkeypatch.setattr(context, "_links", context._Links(until=float("inf")))
    settings.KEPT_PAGES_MB = 0
    settings.DOWNLOADS_MB = 0
    settings.DOWNLOADS_PER_MINUTE = 0
    settings.API_PER_MINUTE = settings.API_PER_MINUTE_VISITORS = 0
    # Tests do not read to the end what they ask for.
    monkeypatch.setattr(downloads, "_sending", BoundedSemaphore(1_000))
    for name, value in UNHURRIED.items():
        setattr(settings, name, value)


@pytest.fixture
def opener(db) -> User:
    return play("opener")


@pytest.fixture
def answerer(db) -> User:
    return play("answerer")


@pytest.fixture
def stranger(db) -> User:
    return play("stranger")


@pytest.fixture
def moderator(db) -> User:
    return play("moderator")


@pytest.fixture
def board_moderator(board) -> User:
    user = make_member("warden", is_staff=True)
    board.moderators.add(user)
    return user


@pytest.fixture
def administrator(db) -> User:
    return play("administrator")


@pytest.fixture
def guest() -> AnonymousUser:
    return AnonymousUser()


@pytest.fixture
def board(db) -> Board:
    return Board.objects.create(name="After 1900", slug="after-1900")


@pytest.fixture
def other_board(db) -> Board:
    return Board.objects.create(name="Antiquity", slug="antiquity")


@pytest.fixture
def inner_board(db) -> Board:
    """A board that only its moderators see; `board_moderator` is none of them."""
    return Board.objects.create(name="Behind closed doors", slug="closed", audience="moderators")


@pytest.fixture
def thread(board, opener, answerer) -> Thread:
    """The debate of `debate`."""
    return debate(board, opener, answerer)


@pytest.fixture
def opening(thread) -> Post:
    return thread.posts.get(number=1)


@pytest.fixture
def answer(thread) -> Post:
    """#2, by the answerer; #3 answers it."""
    return thread.posts.get(number=2)
