"""What anybody may not read is nowhere: a forum in which every kind of private, hidden, waiting and
removed text holds a word of its own, and every address of the site opened as each role.

Who may read which word is written here by hand, from the charter. Three things are held against
it: a word is found somewhere exactly by those who may read it; a page exists exactly for those who
may see what it is about, and for everybody else it is the page of what does not exist; and each
entry point shows each thing to exactly those.
"""

import io
import os
import re
import zipfile
from collections import defaultdict
from itertools import cycle
from types import SimpleNamespace
from unittest import mock
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.test import TestCase, override_settings
from django.urls import get_resolver, reverse

from accounts import tokens
from forum.actions import cases, description, drafts, notices, threadmarks
from forum.actions.divergences import read_divergence
from forum.mailing import stopping
from forum.models import (
    AuditEntry,
    Board,
    Bookmark,
    Member,
    Notice,
    Poll,
    Post,
    Quote,
    Reason,
    State,
    Thread,
    Watch,
)
from forum.moderation import moving, reports, sanctions, states
from forum.operations import pictures
from forum.permissions import CHARTER, may
from forum.search.grammar import STATUSES
from tests import bucket
from tests.people import browser, make_member, pending, quoting, reply, shown_picture, start

GONE = 10**9
STAFF = {"moderator", "administrator"}
MEMBERS = {"stranger", "invited", "opener", "answerer", "warden", *STAFF}
ROLES = ("guest", "stranger", "invited", "opener", "answerer", "warden", *sorted(STAFF))
# Those whose rights differ most open everything there is, the others every address once, each of
# another thing; with JONBAR_LONG=1 every role opens everything, in a quick run the warden alone.
SCANNED = ("stranger", "answerer", "warden")[2 if os.environ.get("JONBAR_QUICK") == "1" else 0 :]
LONG = os.environ.get("JONBAR_LONG") == "1"

# Who may read the words of a thing. The warden moderates the hidden board alone; everything that
# does not stand is in the public one, opened by the opener or written by the answerer.
READERS = {
    "public": {"guest", *MEMBERS},
    "members": MEMBERS,
    "invited": {"invited", *STAFF},
    "closed": {"warden", *STAFF},
    "moved away": {"warden", *STAFF},  # it was public, and is quoted there
    "moved inside": STAFF,  # it was in the warden's board, and is quoted there
    "hidden debate": STAFF,
    "removed debate": STAFF,
    "waiting debate": {"opener", *STAFF},
    "hidden post": STAFF,
    "removed post": STAFF,
    "withdrawn post": STAFF,
    "waiting post": {"answerer", *STAFF},
}
# Opened by the moderator of all boards, in another board than the public one.
OF_THE_KEEPER = ("members", "invited", "closed", "moved inside")
PLACES = {"moved inside": "closed"}  # where it was opened
# Words that are no post's and no debate's.
ALONE = {
    "draft": {"answerer"},
    "note": {"warden", *STAFF},
    "report": STAFF,
    "appeal": {"answerer", *STAFF},
    "mail": {"answerer", "administrator"},
    "reason in the invited board": {"invited", *STAFF},
    "reason in the closed board": {"warden", *STAFF},
    "reason of a warning": STAFF,  # for a post in the innermost board
}
DEBATES = [what for what in READERS if not what.endswith(" post")]
POSTS = [what for what in READERS if what.endswith(" post")]
# Placeholders tell that something was there, to whoever reads the debate; never what.
PLACEHOLDERS = ("hidden post", "removed post", "withdrawn post")


def word(what: str, where: str = "text") -> str:
    """The word that stands in this part of this thing and nowhere else."""
    return f"zq{where}{what.replace(' ', '')}qz"


def secret(what: str) -> str:
    return word(what, "alone")


@override_settings(
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    STARTS_PER_HOUR=0,
    POSTS_PER_MINUTE=0,
)
class Marked(TestCase):
    maxDiff = None

    @classmethod
    def setUpTestData(cls) -> None:
        keeper = make_member("keeper", is_staff=True, is_moderator=True)
        warden = make_member("warden", is_staff=True)
        cls.people = {
            "guest": AnonymousUser(),
            **{name: make_member(name) for name in ("stranger", "invited", "opener", "answerer")},
            "warden": warden,
            "moderator": keeper,
            "administrator": make_member("chief", is_staff=True, is_superuser=True),
        }
        opener, answerer = cls.people["opener"], cls.people["answerer"]
        answerer.emailaddress_set.update(email=f"{secret('mail')}@example.org")
        type(answerer).objects.filter(pk=answerer.pk).update(email=f"{secret('mail')}@example.org")
        # First, so that lists of the newest are about the others.
        cls.in_state = {state: cls.debate_in(state, opener, answerer) for state in STATES}
        audiences = {"public": "public", "members": "members", "invited": "invited"}
        cls.boards = {
            name: Board.objects.create(name=f"Board {name}", slug=name, audience=audience)
            for name, audience in {**audiences, "closed": "moderators"}.items()
        }
        cls.boards["invited"].invited.add(cls.people["invited"])
        cls.boards["closed"].moderators.add(warden)
        # Only moderators of all boards come here.
        inner = Board.objects.create(name="Board inner", slug="inner", audience="moderators")
        cls.threads, cls.posts = {}, {}
        for what in DEBATES:
            public = what not in OF_THE_KEEPER
            board = cls.boards["public" if public else PLACES.get(what, what)]
            cls.threads[what] = cls.debate(board, opener if public else keeper, what)
        # Its title and its place are there for everybody, its opening is not.
        cls.headless = cls.debate(cls.boards["public"], opener, "hidden opening")
        states.hide(user=keeper, post=cls.headless.posts.get(), reason="Off.")
        reply(cls.headless, answerer, "Suppose that it is not.")
        main = cls.threads["public"]
        cls.quote(main, answerer, cls.threads["moved away"], "moved away")
        cls.quote(cls.threads["closed"], keeper, main, "public")
        cls.quote(cls.threads["closed"], keeper, cls.threads["moved inside"], "moved inside")
        for what in POSTS:
            text = f"It {word(what)} was."
            if what == "waiting post":
                cls.posts[what] = pending(main, answerer, text)
            else:
                cls.posts[what] = reply(main, answerer, text)
        for what, state in (
            ("waiting debate", State.PENDING),
            ("removed debate", State.REMOVED),
        ):
            Thread.objects.filter(pk=cls.threads[what].pk).update(state=state)
        states.hide_thread(user=keeper, thread=cls.threads["hidden debate"], reason="Off.")
        Thread.objects.filter(pk=cls.threads["moved away"].pk).update(board=cls.boards["closed"])
        for what, act in (
            ("hidden post", states.hide),
            ("removed post", states.remove),
            ("withdrawn post", states.hide),
        ):
            act(user=keeper, post=cls.posts[what], reason="Off.")
        Post.objects.filter(pk=cls.posts["withdrawn post"].pk).update(withdrawn=True)
        cls.act_inside(cls.threads["moved inside"], inner)
        for name in ("invited", "closed"):
            said = secret(f"reason in the {name} board")
            states.pin(user=keeper, thread=cls.threads[name], reason=said)
        cls.token = uuid4()
        drafts.save(
            user=answerer, token=cls.token, target="/threads/new/", text=secret("draft"), label="x"
        )
        sanctions.note(user=keeper, member=answerer, text=secret("note"))
        reports.report(
            user=make_member("reporter"),
            post=main.posts.get(number=2),
            reason="spam",
            text=secret("report"),
            token=uuid4(),
        )
        told = Notice.objects.filter(member=answerer, entry__verb="hide").earliest("pk")
        cases.answer(user=answerer, notice=told, text=secret("appeal"))
        cls.own_posts = {
            what: thread.posts.get(number=1) for what, thread in cls.threads.items()
        } | cls.posts
        cls.pictures = {
            what: shown_picture(post, word(what, "picture"), member=cls.people[WRITER[what]])
            for what, post in cls.own_posts.items()
        }
        for what, post in cls.own_posts.items():
            choices = [word(what, "poll"), "Neither"]
            Poll.objects.create(post=post, question="Which?", choices=choices, counts=[0, 0])
            Post.objects.filter(pk=post.pk).update(has_poll=True)
        cls.tell_everybody()
        cls.statuses = {}
        cls.clients = {role: browser(user) for role, user in cls.people.items()}
        for role, user in cls.people.items():
            if user.pk:  # by which the API knows them, and nothing else
                token = tokens.make(user=user, name="A program", scope="write")
                cls.clients[role].defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"

    @classmethod
    def act_inside(cls, thread: Thread, inner: Board) -> None:
        """Act on a debate in the warden's board, take it to the innermost one, and warn somebody
        there, who is the newest of all members."""
        keeper = cls.people["moderator"]
        states.pin(user=keeper, thread=thread, reason="It is settled.")
        states.lock_branch(user=keeper, post=reply(thread, keeper, "So it is."))
        moving.move_thread(user=keeper, thread=thread, board=inner)
        warned = make_member("warned")
        post = reply(Thread.objects.get(pk=thread.pk), keeper, "So it is not.")
        Post.objects.filter(pk=post.pk).update(author=warned)
        post = Post.objects.select_related("thread__board").get(pk=post.pk)
        said = secret("reason of a warning")
        sanctions.warn(user=keeper, member=warned, points=1, reason=said, post=post)

    @classmethod
    def tell_everybody(cls) -> None:
        """Every member was told of every post, and watches all of it, when they still saw it."""
        members = [user for user in cls.people.values() if user.pk]
        kind = Notice.Kind.POST
        for user in members:
            Notice.objects.bulk_create(
                Notice(member=user, post=post, kind=kind, reasons=reason)
                for reason, post in zip(cycle(Reason.values), cls.own_posts.values())
            )
            Watch.objects.bulk_create(Watch(member=user, board=one) for one in Board.objects.all())
            rows = Watch.objects.bulk_create(
                Watch(member=user, thread=one) for one in cls.threads.values()
            )
            Notice.objects.filter(member=user, kind=kind).update(watch=rows[0])
            Watch.objects.bulk_create(Watch(member=user, post=one) for one in cls.posts.values())
            Bookmark.objects.bulk_create(
                Bookmark(member=user, post=one) for one in cls.own_posts.values()
            )
            notices.recount(user.pk)

    @classmethod
    def debate(cls, board: Board, author, what: str) -> Thread:
        thread = start(board, author, f"Title {word(what, 'title')}", f"It {word(what)} was, once.")
        threadmarks.mark(user=author, post=thread.posts.get(), category="story", label="Begin")
        return description.describe(
            user=author,
            thread=Thread.objects.get(pk=thread.pk),
            divergences=[
                read_divergence(
                    change=f"The bridge {word(what, 'fork')}", when="c. 1924", place="Moscow"
                )
            ],
            questions=[f"Does {word(what, 'question')} hold?"],
        )

    @classmethod
    def debate_in(cls, state: str, opener, answerer) -> tuple[Thread, Post, Post]:
        """A debate of the opener with a reply of the answerer, in this state; outside of READERS,
        since everybody may read it."""
        slug = f"in-{state.replace(' ', '-')}"
        board = Board.objects.create(name=f"A board, {state}", slug=slug)
        thread = start(board, opener, f"A debate, {state}", "Suppose that it is so.")
        answer = reply(thread, answerer, "Suppose that it is not.")
        if state == "read only":
            Board.objects.filter(pk=board.pk).update(read_only=True)
        elif state == "branch locked":
            states.lock_branch(user=cls.people["moderator"], post=answer)
        elif state != "open":
            Thread.objects.filter(pk=thread.pk).update(**{STATES[state]: True})
        thread = Thread.objects.select_related("board").get(pk=thread.pk)
        return thread, *Post.objects.select_related("thread__board").filter(thread=thread).order_by(
            "number"
        )

    @staticmethod
    def quote(thread: Thread, author, source: Thread, what: str) -> Post:
        said = quoting(source.posts.get(number=1), "was, once.", f"On {what}, then.")
        return reply(thread, author, said)

    def addresses(self, part=None, prefix="/"):
        """(name, address, what it is about) of every page but those of accounts and of the desk."""
        for pattern in (part or get_resolver()).url_patterns:
            route = prefix + str(pattern.pattern)
            if route.startswith(("/accounts/", "/admin/")):
                continue
            if hasattr(pattern, "url_patterns"):
                yield from self.addresses(pattern, route)
                continue
            asked = re.findall(r"<(?:\w+:)?(\w+)>", route)
            plain = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
            for what, values in self.filled(route, asked):
                yield pattern.name, plain.format(**values), what

    def filled(self, route: str, asked: list[str]):
        """The values that an address takes. One that takes something new needs its line here."""
        if not asked:
            return [(None, {})]
        if asked[0] == "thread_id":
            known = [*self.threads.items(), (None, self.headless)]
            return [(what, {"thread_id": t.pk, "slug": "x", "number": 0}) for what, t in known]
        if "ordinal" in asked:
            rows = Quote.objects.values("post_id", "ordinal")
            return [(None, dict(row)) for row in rows]
        headless = [(None, {"post_id": p.pk}) for p in self.headless.posts.order_by("pk")]
        return {
            "post_id": [(what, {"post_id": p.pk}) for what, p in self.own_posts.items()] + headless,
            "slug": [(what, {"slug": what}) for what in self.boards],
            "username": [(None, {"username": u.username}) for u in self.people.values() if u.pk],
            "part": [(None, {"part": 0})],  # of the sitemap
            "picture_key": [
                (what, {"picture_key": one.key, "name": one.file.rpartition("/")[2], **tile})
                for what, one in self.pictures.items()
                for tile in [{"total": one.sha256[:16], "level": 0, "x": 0, "y": 0}]
            ],
            "emblem": [(None, {"emblem": "0" * 64})],
            "name": [(None, {"name": "about"})],  # of the help
            "token": [(None, {"token": self.token})],
            "feed_token": [(None, {"feed_token": "forged", "slug": "public"})],
            "number": [(None, {"number": "forged"})],  # of a receipt
            "signed": [(None, {"signed": stopping.token(self.people["opener"], ["act"])})],
            "notice_id": [(None, {"notice_id": n.pk}) for n in Notice.objects.all()],
            "entry_id": [(None, {"entry_id": e.pk}) for e in AuditEntry.objects.all()],
        }[asked[0]]

    def everything(self, role: str):
        """Every address there is for a role, with what may be asked of it besides."""
        for _, address, _ in self.addresses():
            yield address
        yield from ("/accounts/settings/", "/accounts/email/", "/admin/")
        main = self.threads["public"]
        for thread in self.threads.values():
            yield f"/threads/{thread.pk}/x/?view=tree"
            yield f"/drafts/newest/?target=/threads/{thread.pk}/reply/"
            yield from (f"/search/?q=in:{thread.pk}", f"/api/search/?q=in:{thread.pk}")
        for post in self.own_posts.values():
            yield f"/threads/{main.pk}/reply/?quote={post.pk}"
            yield f"/threads/{main.pk}/reply/?to={post.pk}"
            yield f"/threads/{main.pk}/{main.slug}/?view=tree&open={post.pk}&fold={post.pk}"
            yield f"/posts/{post.pk}/history/?rev=1&at=0-5"
        for slug in self.boards:
            yield from (f"/threads/new/?board={slug}", f"/log/?board={slug}")
            yield from (f"/timeline/?board={slug}", f"/map/?in=europe&board={slug}")
            yield from (f"/api/{name}/?board={slug}" for name in ("threads", "divergences"))
            yield f"/search/?q=board:{slug}+since:2000"
        yield from ("/search/feed/?q=the", "/search/feed/?q=pod:..2000+the", "/search/offer/?q=zqt")
        yield from (f"/search/?q={asked}" for asked in ("the", "it&sort=best", "pod:..2000"))
        yield from (f"/search/?q=has:quote+status:{status}" for status in STATUSES)
        yield "/drafts/newest/?target=/threads/new/"
        yield from self.at_the_desk(role)

    def at_the_desk(self, role: str):
        """The desk's addresses: all of its lists and some rows of each, for who may come there."""
        if role not in ("warden", *STAFF):
            yield from (f"/admin/forum/post/{p.pk}/change/" for p in self.posts.values())
            return
        for model in admin.site._registry:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            yield reverse(f"{name}_changelist")
            for pk in model._base_manager.order_by("-pk").values_list("pk", flat=True)[:4]:
                yield reverse(f"{name}_change", args=[pk])
        for pk in Member.objects.order_by("-pk").values_list("pk", flat=True)[:2]:
            yield reverse("admin:forum_member_review", args=[pk])

    def said(self, role: str, address: str) -> str:
        """All that an address answers to a role: page, headers, where it leads."""
        response = self.clients[role].get(address)
        self.statuses[role, address] = response.status_code
        assert response.status_code < 500, address
        if response.status_code == 301 and "/x/" in address:  # a debate, at its own address
            response = self.clients[role].get(response["Location"])
        return f"{response.headers}\n{text_of(response)}"

    # --- The scan ---

    def words(self) -> dict[str, set[str]]:
        """Each word with the roles that may read it."""
        found = {secret(what): roles for what, roles in ALONE.items()}
        found |= {word(what): READERS[what] for what in READERS}
        found |= {word(what, "picture"): READERS[what] for what in READERS}
        for part in ("title", "fork", "question"):
            found |= {word(what, part): READERS[what] for what in DEBATES}
        for part in ("text", "fork", "question"):
            found[word("hidden opening", part)] = STAFF
        return found

    def scan(self, role: str) -> None:
        words, found = self.words(), {}
        every = re.compile("|".join(words))
        for address in self.everything(role):
            for told in every.findall(self.said(role, address).lower()):
                found.setdefault(told, address)
        may_read = {told for told, roles in words.items() if role in roles}
        leaked = {told: address for told, address in found.items() if told not in may_read}
        self.assertEqual(leaked, {}, role)
        # The scan can find: who may read a word does so somewhere.
        self.assertEqual(may_read - set(found), set(), role)
        wrong = []
        for name, address, what in self.addresses():
            if what is None or (what in PLACEHOLDERS and role not in READERS[what]):
                continue
            # A feed and a preview are a visitor's, whoever fetches them.
            reader = "guest" if name.endswith("feed") or name == "thread-picture" else role
            there = reader in READERS[what] and (name, what) not in NO_PAGE
            status = self.statuses[role, address]
            if status != 405 and (status != 404) != there:  # 405: there are forms alone
                wrong.append((name, what, status))
        self.assertEqual(wrong, [], role)

    def glance(self, role: str) -> None:
        """Every address once, about one of the things that it can be about."""
        may_read = {told for told, roles in self.words().items() if role in roles}
        every, by_name = re.compile("|".join(self.words())), defaultdict(list)
        for name, address, what in self.addresses():
            by_name[name].append((address, what))
        things = list(READERS)
        for n, (name, known) in enumerate(by_name.items()):
            # Another thing for each name and role, so that all of them come up.
            turn = things[(n + ROLES.index(role)) % len(things)]
            address = next((a for a, what in known if what == turn), known[n % len(known)][0])
            told = set(every.findall(self.said(role, address).lower()))
            self.assertEqual(told - may_read, set(), (role, name, address))
        # Moderators may read most of what there is, but for what the desk alone could show them.
        for address in self.at_the_desk(role) if role == "moderator" else ():
            told = set(every.findall(self.said(role, address).lower()))
            self.assertEqual(told - may_read, set(), (role, address))

    def test_a_word_is_found_by_exactly_those_who_may_read_it(self):
        for role in ROLES:
            with self.subTest(role):
                (self.scan if LONG or role in SCANNED else self.glance)(role)

    # --- Pages exist for those who may see what they are about ---

    def test_what_one_may_not_see_is_what_does_not_exist(self):
        """To the byte, but for the address itself and the form's token; also for forms sent."""
        wrong = []
        for role in ("guest", "stranger", "warden"):
            client, nothing = self.clients[role], {}
            ways = (client.get, client.post) if role == "stranger" else (client.get,)
            for name, address, what in self.addresses():
                if what is None or role in READERS[what] or what in PLACEHOLDERS:
                    continue
                nowhere = re.sub(r"^(/api)?/(threads|posts)/\d+/", rf"\1/\2/{GONE}/", address)
                nowhere = re.sub(r"^/boards/\w+/", "/boards/nowhere/", nowhere)
                nowhere = re.sub(r"^/pictures/\w+/", "/pictures/nowhere/", nowhere)
                for ask in ways:
                    key = (name, ask.__name__)
                    if key not in nothing:
                        nothing[key] = anonymised(ask(nowhere), nowhere)
                    if anonymised(ask(address), address) != nothing[key]:
                        wrong.append((role, name, what, ask.__name__))
        self.assertEqual(wrong, [])

    @pytest.mark.whole
    @pytest.mark.once
    def test_pictures_in_a_bucket_are_sent_to_exactly_those_who_may_read_their_posts(self):
        """As from a folder, where they are among all other addresses."""
        with bucket.serving() as address, mock.patch.dict(os.environ, bucket.KEYS | bucket.REGION):
            options = {"bucket_name": bucket.made(address), "endpoint_url": address}
            options["addressing_style"] = "path"
            storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
            with override_settings(STORAGES={**settings.STORAGES, "pictures": storage}):
                for what, one in self.pictures.items():
                    said = word(what, "picture").encode()
                    pictures.add(said, pictures.name_of(one.sha256, "png"))
                    for role, client in self.clients.items():
                        response = client.get(one.file)
                        sent = response.status_code == 200 and said in b"".join(response)
                        self.assertEqual(sent, role in READERS[what], (what, role))

    # --- Verbs ---

    def test_every_verb_on_every_thing(self):
        wrong = []
        for verb, table in VERBS.items():
            for what in DEBATES if verb in ON_DEBATES else READERS:
                thing = (self.threads if verb in ON_DEBATES else self.own_posts)[what]
                thing = type(thing)._base_manager.get(pk=thing.pk)
                for role, user in self.people.items():
                    if may(user, verb, thing) != (role in table(what)):
                        wrong.append((role, verb, what))
        self.assertEqual(wrong, [])

    def test_every_verb_in_every_state(self):
        wrong = []
        for on, table in IN_STATES.items():
            for verb, cells in table.items():
                for state, cell in zip(STATES, cells, strict=True):
                    thread, opening, answer = self.in_state[state]
                    things = {"board": thread.board, "debate": thread, "opening": opening}
                    thing = {**things, "reply": answer}[on]
                    for role, user in self.people.items():
                        expected = LETTERS[role] in (
                            cell.split() if cell != ALL else LETTERS.values()
                        )
                        if may(user, verb, thing) != expected:
                            wrong.append((role, verb, on, state))
        self.assertEqual(wrong, [])

    def test_every_verb_of_the_charter_is_asked(self):
        asked = set(VERBS).union(*IN_STATES.values())
        self.assertEqual(set(CHARTER) - asked, ASKED_ELSEWHERE)

    # --- Entry points ---

    def test_every_entry_point_shows_each_thing_to_exactly_those_who_may_read_it(self):
        wrong = []
        for role in ROLES:
            pages = {}
            for n, (entry, (shows, ask)) in enumerate(ENTRIES.items()):
                for what in shows:
                    # Every other one in the ordinary run: each role comes to each entry and to
                    # each thing all the same.
                    if (n + list(READERS).index(what) + ROLES.index(role)) % 2 and not LONG:
                        continue
                    thing = SimpleNamespace(
                        what=what,
                        post=self.own_posts[what],
                        thread=self.threads.get(what, self.threads["public"]),
                        main=self.threads["public"],
                        pages=pages,
                    )
                    shown = ask(self.clients[role], thing)
                    table, others = OTHERWISE.get(entry.partition(",")[0], (READERS, set()))
                    readers = table.get(what, others)
                    if shown != (role in readers and role not in CLOSED.get(entry, ())):
                        wrong.append((role, entry, what, shown))
        self.assertEqual(wrong, [])


# Who moderates, opened and wrote what: so the verbs follow from the charter's sentences.
MODERATED = {what: {"warden", *STAFF} for what in ("closed", "moved away")}
WRITER = dict.fromkeys(DEBATES, "opener") | dict.fromkeys(POSTS, "answerer")
WRITER |= dict.fromkeys(OF_THE_KEEPER, "moderator")
STANDS = [what for what in READERS if what not in (*PLACEHOLDERS, "waiting post")]

OPEN = [what for what in READERS if what != "waiting debate"]


def members_who_read(what: str) -> set[str]:
    return READERS[what] - {"guest"}


def moderators_of(what: str) -> set[str]:
    return MODERATED.get(what, STAFF)


def writer_of(what: str) -> set[str]:
    """Who opened or wrote it, as long as they may see it."""
    return READERS[what] & {WRITER[what]}


def opener_of(what: str) -> str:
    """Who opened the debate in which it stands."""
    return "moderator" if what in OF_THE_KEEPER else "opener"


ON_DEBATES = ("see thread", "see opening", "reply", "rename", "describe", "close")
VERBS = {
    "reply": lambda what: members_who_read(what) if what in OPEN else set(),
    "rename": lambda what: moderators_of(what) | writer_of(what),
    "describe": lambda what: moderators_of(what) | writer_of(what),
    "close": writer_of,
    "see thread": lambda what: READERS[what],
    "see opening": lambda what: READERS[what],
    "see post": lambda what: READERS[what],
    "see history": lambda what: READERS[what],
    "answer": lambda what: members_who_read(what) if what in STANDS and what in OPEN else set(),
    "report": lambda what: members_who_read(what) - {WRITER[what]} if what in STANDS else set(),
    "report from outside": lambda what: READERS[what] if what in STANDS else set(),
    "edit": lambda what: set() if what in PLACEHOLDERS else writer_of(what),
    "withdraw": lambda what: writer_of(what) if what == "waiting post" else set(),
    "moderate": moderators_of,
    "erase": lambda what: {"administrator"},
    # The opener of the debate may read what stands in it, and marks that.
    "mark": lambda what: moderators_of(what) | (READERS[what] & {opener_of(what)}),
    # Of an opening nothing is argued, and nothing of what does not stand.
    **dict.fromkeys(
        ("argue", "set lane", "tie answer"),
        lambda what: {"answerer", *STAFF} if what == "waiting post" else set(),
    ),
    "take stance": lambda what: {"answerer"} if what == "waiting post" else set(),
    "change mind": lambda what: set(),
    "vote": lambda what: members_who_read(what) if what in STANDS else set(),
    "close poll": lambda what: (
        moderators_of(what) | (set() if what in PLACEHOLDERS else writer_of(what))
    ),
    "release": lambda what: set(),  # it waits for approval, not for slow mode
}
# The states of a debate that everybody reads, and the column that makes them.
STATES = {
    "open": "",
    "read only": "",  # its board
    "locked": "locked",
    "branch locked": "",  # the branch of the reply
    "archived": "archived",
    "closed": "closed_by_author",
}
LETTERS = dict(zip(ROLES, "g s i o a w A m".split(), strict=True))
ALL = "all"
NONE, MODS, MEMBER = "", "A m", "s i o a w A m"
OPENER, AUTHOR = "o A m", "a o A m"
OTHERS = "s i o w A m"  # members but the answerer
# verb: who, by state, in the order of STATES. Written by hand, from the charter's sentences.
IN_STATES = {
    "board": {
        "see board": (ALL,) * 6,
        "start": (MEMBER, NONE, MEMBER, MEMBER, MEMBER, MEMBER),
        "moderate": (MODS,) * 6,
        "invite": (MODS,) * 6,
        "load": (MODS,) * 6,
    },
    "debate": {
        "see thread": (ALL,) * 6,
        "reply": (MEMBER, NONE, MODS, MEMBER, NONE, MODS),
        "rename": (OPENER, MODS, MODS, OPENER, MODS, OPENER),
        "describe": (OPENER, MODS, MODS, OPENER, MODS, OPENER),
        "close": ("o", NONE, NONE, "o", NONE, "o"),
        "moderate": (MODS,) * 6,
    },
    "opening": {
        "see post": (ALL,) * 6,
        "answer": (MEMBER, NONE, MODS, MEMBER, NONE, MODS),
        "edit": ("o", NONE, NONE, "o", NONE, "o"),
        "withdraw": (NONE,) * 6,
        "argue": (NONE,) * 6,
        "change mind": (NONE,) * 6,
        "vote": (MEMBER, NONE, MODS, MEMBER, NONE, MEMBER),
        "close poll": (OPENER, MODS, MODS, OPENER, MODS, OPENER),
        "mark": (OPENER, MODS, MODS, OPENER, OPENER, OPENER),
        "report": ("s i a w A m",) * 4 + (NONE, "s i a w A m"),
        "report from outside": (ALL,) * 6,
        "moderate": (MODS,) * 6,
    },
    "reply": {
        "see post": (ALL,) * 6,
        "see history": (ALL,) * 6,
        "answer": (MEMBER, NONE, MODS, MODS, NONE, MODS),
        "edit": ("a", NONE, NONE, NONE, NONE, "a"),
        "withdraw": ("a", NONE, NONE, NONE, NONE, "a"),
        "release": (NONE,) * 6,
        "argue": (AUTHOR, MODS, MODS, MODS, MODS, AUTHOR),
        "set lane": (AUTHOR, MODS, MODS, MODS, MODS, AUTHOR),
        "tie answer": (AUTHOR, MODS, MODS, MODS, MODS, AUTHOR),
        "take stance": ("a", NONE, NONE, NONE, NONE, "a"),
        "change mind": (OTHERS, NONE, MODS, MODS, NONE, OTHERS),
        "vote": (MEMBER, NONE, MODS, MODS, NONE, MEMBER),
        "close poll": ("a A m", MODS, MODS, MODS, MODS, "a A m"),
        "mark": (OPENER, MODS, MODS, OPENER, OPENER, OPENER),
        "report": (OTHERS, OTHERS, OTHERS, OTHERS, NONE, OTHERS),
        "report from outside": (ALL,) * 6,
        "moderate": (MODS,) * 6,
        "erase": ("A",) * 6,
    },
}
# Asked of nothing, or of notices, cases and members: tests/test_permissions.py; of entries of the
# log: tests/acts/test_undo.py; of accounts: tests/test_charter.py.
ASKED_ELSEWHERE = set(
    "write,use account,read notices,answer act,decide,warn,suspend,clean up,note,rename member,"
    "define,administer,enter desk,undo,leave,close account,take emblem".split(",")
)

# Pages that no one has of a thing: what waits has no place in the tree yet.
NO_PAGE = {(name, "waiting post") for name in ("road", "road-epub", "branch-feed")}


def anonymised(response, address: str) -> tuple:
    """What an answer says but for the address it answers and the token of a form."""
    body = response.content.decode().replace(address, "ADDRESS")
    quoted = address.replace("/", "%2F")
    body = re.sub(r'"csrfmiddlewaretoken" value="\w+"', "", body.replace(quoted, "ADDRESS"))
    left_out = ("Content-Length", "X-Request-ID")
    headers = {k: v for k, v in response.headers.items() if k not in left_out}
    headers = {k: v.replace(address, "ADDRESS") for k, v in headers.items()}
    return response.status_code, body, headers


def text_of(response) -> str:
    """What an answer holds, also in the files of a book or of another zip."""
    body = b"".join(response) if response.streaming else response.content
    if response.headers["Content-Type"] in ("application/epub+zip", "application/zip"):
        book = zipfile.ZipFile(io.BytesIO(body))
        body = b"\n".join(book.read(name) for name in book.namelist())
    return body.decode(errors="replace")


def page(pattern: str, part: str = "text"):
    """Whether the word of a thing stands on a page."""

    def ask(client, thing) -> bool:
        address = pattern.format(
            p=thing.post.pk, t=thing.thread.pk, s=thing.thread.slug, m=thing.main.pk
        )
        if address not in thing.pages:
            thing.pages[address] = text_of(client.get(address))
        return word(thing.what, part) in thing.pages[address]

    return ask


def preview(client, thing) -> bool:
    """Whether a preview says of whom the quoted words are."""
    text = quoting(thing.post, f"It {word(thing.what)} was", "So it goes.").replace(
        thing.post.writer, "nobody"
    )
    fields = {"text": text, "token": uuid4(), "do": "preview"}
    answer = client.post(f"/threads/{thing.main.pk}/reply/", fields)
    shown = answer.content.decode().partition('class="preview')[2]
    return f"/posts/{thing.post.pk}/" in shown or f"#post-{thing.post.pk}" in shown


def leads(client, thing) -> bool:
    return client.get(f"/posts/{thing.post.pk}/").status_code in (301, 302)


def quoters(client, thing) -> bool:
    """Whether a program is told what quotes a post: the answer does not name the post itself."""
    return client.get(f"/api/posts/{thing.post.pk}/quotes/").status_code == 200


OF_THE_OPENER = ("public", "moved away", "hidden debate", "removed debate", "waiting debate")
STANDING = ("public", "members", "invited", "closed", "moved away", "moved inside")
# name: (the things it shows at all, whether it shows one). Written by hand.
ENTRIES = {
    "page": (list(READERS), page("/threads/{t}/{s}/")),
    "tree": (DEBATES, page("/threads/{t}/{s}/?view=tree")),
    "card": (DEBATES, page("/threads/{t}/{s}/", "fork")),
    "question": (DEBATES, page("/threads/{t}/{s}/", "question")),
    "home": (DEBATES, page("/", "title")),
    "all debates": (DEBATES, page("/debates/", "title")),
    "timeline": (DEBATES, page("/timeline/", "fork")),
    "map": (DEBATES, page("/map/", "title")),
    "search": (list(READERS), page("/search/?q=in:{t}")),
    "search for debates": (DEBATES, page("/search/?q=kind:WI,discussion,TL", "title")),
    "permalink": ([*DEBATES, "waiting post"], leads),
    "history": (list(READERS), page("/posts/{p}/history/")),
    "road": ([what for what in READERS if what != "waiting post"], page("/posts/{p}/road/")),
    "poll": (list(READERS), page("/threads/{t}/{s}/", "poll")),
    "page of a poll": (list(READERS), page("/posts/{p}/poll/", "poll")),
    "poll on the road": (
        [what for what in READERS if what != "waiting post"],
        page("/posts/{p}/road/", "poll"),
    ),
    "quotes": (DEBATES, page("/posts/{p}/quotes/", "title")),
    "quote": ([*STANDING], page("/threads/{m}/reply/?quote={p}")),
    "preview": ([*STANDING, "hidden post", "waiting post"], preview),
    "log": (["invited", "closed"], page("/log/", "title")),
    "reader": (DEBATES, page("/threads/{t}/read/")),
    "book": (DEBATES, page("/threads/{t}/epub/")),
    "book of the road": (DEBATES, page("/posts/{p}/road/epub/")),
    "fixture": (list(READERS), page("/threads/{t}/fixture/")),
    "markdown": (list(READERS), page("/threads/{t}/markdown/")),
    "fixture, poll": (list(READERS), page("/threads/{t}/fixture/", "poll")),
    "markdown, poll": (list(READERS), page("/threads/{t}/markdown/", "poll")),
    "poll, api": (list(READERS), page("/api/posts/{p}/", "poll")),
    "lane": (POSTS, page("/threads/{t}/{s}/?lane=consequence")),
    "outline": (DEBATES, page("/threads/{t}/outline/", "title")),
    "outline, argdown": (DEBATES, page("/threads/{t}/outline.argdown", "title")),
    "outline, json": (DEBATES, page("/threads/{t}/outline.json", "title")),
    "questions": (DEBATES, page("/questions/", "question")),
    "minds": (list(READERS), page("/posts/{p}/minds/")),
    "profile of the opener": (OF_THE_OPENER, page("/members/opener/", "title")),
    "debates of the opener": (OF_THE_OPENER, page("/members/opener/debates/", "title")),
    "profile of the answerer": (POSTS, page("/members/answerer/")),
    "glossary": (list(READERS), page("/glossary/")),
    "debates, api": (DEBATES, page("/api/threads/?limit=50", "title")),
    "debate, api": (DEBATES, page("/api/threads/{t}/", "title")),
    "card, api": (DEBATES, page("/api/threads/{t}/", "fork")),
    "question, api": (DEBATES, page("/api/threads/{t}/", "question")),
    "posts, api": (
        [what for what in READERS if what != "waiting post"],
        page("/api/threads/{t}/posts/?limit=50"),
    ),
    "post, api": (list(READERS), page("/api/posts/{p}/")),
    "revisions, api": (list(READERS), page("/api/posts/{p}/revisions/")),
    "quotes, api": (DEBATES, quoters),
    "outline, api": (DEBATES, page("/api/threads/{t}/outline/", "title")),
    "divergences, api": (DEBATES, page("/api/divergences/?limit=50", "fork")),
    "questions, api": (DEBATES, page("/api/questions/?limit=50", "question")),
    "search, api": (list(READERS), page("/api/search/?q=in:{t}")),
    "desk, post": (list(READERS), page("/admin/forum/post/{p}/change/")),
    "desk, debates": (DEBATES, page("/admin/forum/thread/", "title")),
    "desk, posts": (list(READERS), page("/admin/forum/post/?q=zqtext*")),
}
# At the desk a moderator of single boards sees these alone, whatever they read elsewhere.
DESK = {what: {"warden", *STAFF} for what in ("closed", "moved away")}
# What travels is what anybody may read: whoever asks, of a debate that they see.
TAKEN = {what: READERS[what] for what in DEBATES}
NOWHERE: tuple[dict, set] = ({}, set())
OTHERWISE = {
    "desk": (DESK, STAFF),
    # Words are carried into a public debate from public ones alone.
    "preview": ({"public": READERS["public"]}, set()),
    "fixture": (TAKEN, set()),
    "markdown": (TAKEN, set()),
    "questions": ({what: READERS[what] for what in STANDING}, set()),
    "profile of the answerer": NOWHERE,  # it lists what stands
    "glossary": NOWHERE,
}
# Who reaches an entry point not at all.
CLOSED = {"quote": {"guest"}, "preview": {"guest"}}
