"""What the state machine knows of pictures and emblems: acts with them, and who is sent their
files, by the charter's word on each post that shows them or once did."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.test import RequestFactory
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from accounts.models import User
from forum.actions import emblems, gone_pictures, posts
from forum.actions import pictures as sending
from forum.models import Picture, PictureUse, Post
from forum.models.visibility import pictures_visible_to
from forum.moderation import taking_emblems
from forum.operations import pictures as files
from forum.permissions import may
from forum.views import emblems as emblem_views
from forum.views import pictures as picture_views
from tests.operations.pictures import corpus
from tests.people import fresh, reply

PEOPLE = ("opener", "answerer", "stranger", "keeper", "chief")
ANYBODY = st.sampled_from(PEOPLE)
ANY = st.integers(0, 10**6)
SEEDS = st.integers(1, 4)  # few: several members send the same bytes
DATA = {seed: corpus.packed(corpus.drawn(4, 4, "P", seed), "PNG") for seed in range(1, 6)}


def made_ready(monkeypatch) -> None:
    """Take pictures as they are sent: decoding is another test's, and slow."""

    def decode(data: bytes, **how) -> files.Decoded:
        return files.Decoded("png", 4, 4, data, b"small " + data, 0)

    monkeypatch.setattr(files, "decode", decode)
    monkeypatch.setattr(files, "emblem", lambda data: b"emblem " + data)
    monkeypatch.setattr(emblems, "CHANGES_A_DAY", 10**6)


def hang(thread, answerer: User, stranger: User) -> None:
    """Let a debate show a picture and hide one that it showed; one more waits to be shown."""
    shown, edited, _ = (send(stranger, seed) for seed in (1, 2, 5))
    reply(fresh(thread), stranger, f"A map.\n\n{shown.markdown}")
    post = fresh(reply(fresh(thread), stranger, f"Another.\n\n{edited.markdown}"))
    posts.edit(user=stranger, post=post, source="No map.", base=post.body.revision_number)
    emblems.choose(user=answerer, file=BytesIO(DATA[1]))


def send(user, seed: int) -> Picture:
    return sending.send(user=user, file=BytesIO(DATA[seed]))


def kept() -> dict[str, bytes]:
    """All files of pictures and emblems."""
    found = {}
    for name in files.listed():
        with files.opened(name) as file:
            found[name] = file.read()
    return found


def put_back(known: dict[str, bytes]) -> None:
    """Let exactly these files stand."""
    now = set(files.listed())
    for name in now - known.keys():
        files.dropped(name)
    for name in known.keys() - now:
        files.add(known[name], name)


def served(view, user, *args) -> bytes | None:
    """The bytes that a view sends to `user`; None is 404."""
    request = RequestFactory().get("/")
    request.user = user
    try:
        response = view(request, *args)
    except Http404:
        return None
    with response.file_to_stream:
        return b"".join(response.streaming_content)


@dataclass
class Known:
    """A picture, in the model's terms."""

    member: int
    sums: tuple[tuple[str, str], ...]  # of its files, with their kinds
    addresses: tuple[tuple[str, str], ...]
    erased: bool = False
    old: bool = False


def known(picture: Picture) -> Known:
    sums = [(picture.sha256, picture.kind), (picture.preview_sha256, "webp")]
    sums = [one for one in sums if one[0]]
    names = tuple((picture.key, f"{sha256[:16]}.{kind}") for sha256, kind in sums)
    return Known(picture.member_id, tuple(sums), names)


class WithPictures:
    """Rules and invariants that the machine has besides its own."""

    def begin_pictures(self) -> None:
        self.pictures = {row.pk: known(row) for row in Picture.objects.all()}
        # Read once; from here on the acts say it.
        self.shown: dict[int, set[int]] = {}
        for post_id, picture_id in PictureUse.objects.values_list("post", "picture"):
            self.shown.setdefault(post_id, set()).add(picture_id)
        self.emblems = dict(User.objects.exclude(emblem="").values_list("username", "emblem"))
        self.chosen = set(self.emblems.values())
        self.sent: dict[tuple[str, int], bool] = {}

    def showing(self) -> list[int]:
        """The posts that show pictures, or once did."""
        return sorted(pk for pk, shown in self.shown.items() if shown)

    def picture(self, n: int) -> Picture | None:
        ids = sorted(self.pictures)
        return Picture.objects.get(pk=ids[n % len(ids)]) if ids else None

    # --- Acts ---

    @rule(who=ANYBODY, seed=SEEDS)
    def send_picture(self, who, seed):
        user = User.objects.get(username=who)
        made = self.act("send picture", lambda: send(user, seed))
        if made is not None and made.pk not in self.pictures:
            self.pictures[made.pk] = known(made)

    @rule(who=ANYBODY, seed=SEEDS, to=ANY, n=ANY, own=st.booleans())
    def show_picture(self, who, seed, to, n, own):
        """One's own, sent just now; or any other, which may be refused."""
        if own:
            self.send_picture(who, seed)
            mine = {"member__username": who, "sent_sha256": hashlib.sha256(DATA[seed]).hexdigest()}
            picture = Picture.objects.filter(**mine).first()
        else:
            picture = self.picture(n)
        if picture is None:
            return
        made = self.say(who, to, f"Look {uuid4()}:\n\n{picture.markdown}")
        if made is not None:
            self.shown.setdefault(made.pk, set()).add(picture.pk)

    @rule(n=ANY, seed=SEEDS, away=st.booleans())
    def edit_picture(self, n, seed, away):
        """Its author takes the pictures out of a post that shows some, or puts another one in."""
        ids = self.showing()
        target = self.by_id(ids[n % len(ids)]) if ids else None
        if target is None or target.author is None:
            return
        text, picture = f"Without {uuid4()}.", None
        if not away:
            self.send_picture(target.author.username, seed)
            picture = Picture.objects.filter(member=target.author).order_by("-pk").first()
            text += f"\n\n{picture.markdown}" if picture else ""
        base = target.body.revision_number
        if self.act(
            "edit picture",
            lambda: posts.edit(user=target.author, post=target, source=text, base=base),
        ):
            self.expect("posts", target.pk, body__revision__source=text)
            self.shown[target.pk] |= {picture.pk} if picture else set()

    @rule(who=ANYBODY, seed=SEEDS, dropping=st.booleans())
    def choose_emblem(self, who, seed, dropping):
        user = User.objects.get(username=who)
        if dropping:
            if self.act("drop emblem", lambda: emblems.drop(user=user)):
                self.emblems.pop(who, None)
        elif made := self.act(
            "choose emblem", lambda: emblems.choose(user=user, file=BytesIO(DATA[seed]))
        ):
            self.emblems[who] = made.emblem
            self.chosen.add(made.emblem)

    @rule(who=st.sampled_from(["keeper", "stranger"]), whose=ANYBODY)
    def take_emblem(self, who, whose):
        user, member = (User.objects.get(username=name) for name in (who, whose))
        if self.act(
            "take emblem", lambda: taking_emblems.take(user=user, member=member, reason="Offends.")
        ):
            assert who == "keeper"
            del self.emblems[whose]

    @rule(a_day_later=st.booleans())
    def sweep_pictures(self, a_day_later):
        """With a file that a crash left behind."""
        if a_day_later:
            earlier = [(row, row.created_at - timedelta(hours=25)) for row in Picture.objects.all()]
            for row, at in earlier:
                Picture.objects.filter(pk=row.pk).update(created_at=at)
            for one in self.pictures.values():
                one.old = True
        left = b"Left by a crash"
        files.add(left, files.name_of(hashlib.sha256(left).hexdigest(), "png"))
        shown = set().union(*self.shown.values())
        swept = {
            pk
            for pk, one in self.pictures.items()
            if one.old and not one.erased and pk not in shown
        }
        assert self.act("sweep pictures", lambda: [gone_pictures.sweep()]) == [len(swept)]
        for pk in swept:
            del self.pictures[pk]

    def erased_whole(self, post_id: int) -> None:
        """A post was erased, and with it the pictures that no other standing post shows, whoever
        sent the same."""
        gone = set()
        for pk in self.shown.pop(post_id, set()):
            others = [post for post, shown in self.shown.items() if pk in shown]
            if not any(self.model["posts"][post]["state"] == "visible" for post in others):
                gone.add(self.pictures[pk].sums)
        for one in self.pictures.values():
            one.erased = one.erased or one.sums in gone

    # --- What always holds ---

    @invariant()
    def pictures_go_to_who_may_read_a_post_that_shows_or_once_showed_them(self):
        if not hasattr(self, "model"):
            return
        erased = Picture.State.ERASED
        states = {row.pk: row.state == erased for row in Picture.objects.all()}
        assert states == {pk: one.erased for pk, one in self.pictures.items()}
        shown = {pk: self.by_id(pk) for pk in self.showing()}
        for name in ("", *PEOPLE):
            user = User.objects.get(username=name) if name else AnonymousUser()
            told = {pk for pk in self.pictures if self.may_see(user, pk, shown)}
            assert set(pictures_visible_to(user).values_list("pk", flat=True)) == told, name
            for pk, one in self.pictures.items():
                if self.sent.get((name, pk)) != (pk in told):
                    self.sent[name, pk] = pk in told
                    self.ask(user, one, sees=pk in told)

    def may_see(self, user, pk: int, shown: dict[int, Post]) -> bool:
        one, by = self.pictures[pk], [post for at, post in shown.items() if pk in self.shown[at]]
        if one.erased:
            return False
        return any(may(user, "see post", post) for post in by) or (not by and one.member == user.pk)

    def ask(self, user, one: Known, *, sees: bool) -> None:
        for (sha256, _), address in zip(one.sums, one.addresses, strict=True):
            data = served(picture_views.file, user, *address)
            assert (data is not None) == sees, f"{user} is sent {address}: {data is not None}"
            assert data is None or hashlib.sha256(data).hexdigest() == sha256

    @invariant()
    def the_files_are_those_of_pictures_and_emblems(self):
        if not hasattr(self, "model"):
            return
        alive = {one.sums for one in self.pictures.values() if not one.erased}
        needed = {files.name_of(*one) for sums in alive for one in sums}
        needed |= {files.name_of(emblem, "png") for emblem in self.emblems.values()}
        assert set(files.listed()) == needed
        for emblem in self.chosen:
            data = served(emblem_views.file, AnonymousUser(), emblem)
            assert (data is not None) == (emblem in self.emblems.values())
