"""Loading debates at the desk: read what was sent, correct it, load it; with the readers and the
loader of the commands."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from core.counting import counted
from core.opened_texts import check_base
from core.spellings import BLACK
from forum.actions.audit import record
from forum.actions.brought_pictures import Brought
from forum.models import Board, Post, Thread, Upload
from forum.permissions import require
from forum.text import places
from forum.text.history_dates import NotADate
from forum.text.history_dates import read as read_date

from . import Rejected, beside, fixture, loading, parsing, text
from .fields import (
    DIVERGENCE,
    PARTS,
    PICTURE,
    POST,
    QUESTION,
    QUOTE,
    SPOT,
    THREAD,
    Check,
    fields_of,
)
from .fixture import ThreadFixture
from .pictures import bringing, picture_of
from .spool import whole

# A request that reads more would keep others waiting; larger files are loaded by command.
MAX_BYTES = 2 * 1024 * 1024
MOST_PICTURES = 200
ZIP = b"PK\x03\x04"
# Lines that part posts in pasted texts, where no no-break space survived the way.
RULE = re.compile(r"^-{3,}[ \t]*$", re.MULTILINE)
_OBJECT = re.compile(r"object (\d+)")


@dataclass(slots=True)
class Sent:
    """One post as the page of an upload shows it, by the number it will have."""

    number: int
    fields: dict
    answers: str  # "1" the opening, a number, or "" if nobody knows
    quotes: list[dict] = field(default_factory=list)
    problem: str = ""


def receive(*, user, data: bytes, name: str, board: Board, kind: str, token: UUID) -> list[Upload]:
    """Read a fixture, a zip with one and its pictures, or a plain text, and keep its debates to be
    looked over. Of a plain text the debate goes into `board`. A form that was sent before gives
    what it made then.

    Raises Rejected with the line where it cannot be read at all, and permissions.Refused.
    """
    require(user, "load", board)
    if done := _sent(token, user):
        return done
    files: beside.Reader = beside.nothing
    if data.startswith(ZIP):
        packed = beside.Packed(BytesIO(data), name)
        most = settings.PICTURE_MB * 1024 * 1024
        if len(data) > most:
            raise _too_large(name, most)
        files = packed.read_within(most)
        with packed.fixture_file(MAX_BYTES) as copy:
            data = whole(copy)
    if len(data) > MAX_BYTES:
        raise _too_large(name, MAX_BYTES)
    if not data.strip():
        raise Rejected("Choose a file, or paste a text.")
    if data.lstrip()[:1] in (b"[", b"{"):
        debates, notes = _debates(data, name), []
    else:
        plain = text.read(_with_separators(data), name)
        key = f"desk-{token.hex[:12]}"  # loaded once, however often the form comes back
        debates = [
            fixture.build(
                plain, key=key, board=board.slug, kind=kind, version=1, source="A plain text"
            )
        ]
        notes = list(plain.notes)
    pictures = _pictures(debates, name)
    if len(pictures) > MOST_PICTURES:
        raise Rejected(
            f"{name}: {counted(len(pictures), 'picture,pictures')}; at most {MOST_PICTURES:,} are "
            "taken here. More are loaded by the command loaddata."
        )
    uploads = []
    with bringing(pictures, files, name, at_once=True), transaction.atomic():
        # The account is the lock: of two forms sent at once the second finds what the first kept.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if done := _sent(token, user):
            return done
        for part, objects in enumerate(debates):
            slug = objects[0]["fields"].get("board")
            named = Board.objects.filter(slug=slug[0] if isinstance(slug, list) and slug else "")
            mine = named.first() or board
            require(user, "load", mine)
            uploads.append(
                Upload.objects.create(
                    user=user,
                    board=mine,
                    name=name[:200],
                    objects_read=objects,
                    notes=notes,
                    token=token,
                    part=part,
                )
            )
    return uploads


def _too_large(name: str, most: int) -> Rejected:
    return Rejected(
        f"{name}: larger than {most // 1024 // 1024} MB. Larger files are loaded by the command "
        "loaddata."
    )


def _pictures(debates: Sequence[list[dict]], name: str) -> list[Brought]:
    """The pictures of debates that would add something here. Raises Rejected."""
    keys = [objects[0]["fields"].get("key") for objects in debates]
    here = set(Thread.objects.filter(key__in=keys, fixture_version=None).values_list("key"))
    return [
        picture_of(Check(one["fields"], name, number, PICTURE))
        for key, objects in zip(keys, debates, strict=True)
        for number, one in enumerate(objects, 1)
        if one["model"] == PICTURE and (key,) not in here
    ]


def _sent(token: UUID, user) -> list[Upload]:
    """What this form made before. Raises Rejected if another member sent it."""
    done = list(Upload.objects.filter(token=token).order_by("part"))
    if any(upload.user_id != user.pk for upload in done):
        raise Rejected("This form was used by another account. Open the page anew.")
    return done


def _with_separators(data: bytes) -> bytes:
    """A pasted text in which lines of hyphens part the posts, as the reader wants it."""
    decoded = data.decode(errors="replace")
    lines = decoded.replace("\r\n", "\n").replace("\r", "\n")
    if text.SEPARATOR in lines.split("\n") or not RULE.search(lines):
        return data
    return RULE.sub(text.SEPARATOR, lines).encode()


def _debates(data: bytes, name: str) -> list[list[dict]]:
    """The objects of each debate of a fixture. What does not look like one, or cannot be kept, is
    refused here; what is wrong inside of it is shown where it can be corrected."""
    objects = parsing.parse_json(data, name)
    if not isinstance(objects[0], dict) or objects[0].get("model") != THREAD:
        raise Rejected(f"{name}: the first object must be a debate ({THREAD}).")
    found: list[list[dict]] = []
    for number, one in enumerate(objects, 1):
        fields = fields_of(one, number, name, THREAD, *PARTS)
        Check(fields, name, number, one["model"]).kinds()
        if one.get("model") == THREAD:
            found.append([])
        found[-1].append(one)
    return found


def check(upload: Upload) -> tuple[ThreadFixture | None, str, int | None]:
    """The debate as it would be loaded, or what is wrong with it and the number of the post that
    is meant, if it is one."""
    try:
        return parsing.read(fixture.dump(upload.objects_read), upload.name), "", None
    except Rejected as error:
        sentence = str(error)
    meant = _OBJECT.search(sentence)
    at = int(meant[1]) - 1 if meant else 0
    number = None
    if 0 < at < len(upload.objects_read):
        posts = _of(upload, POST)
        thing = upload.objects_read[at]
        if thing.get("model") == POST:
            number = posts.index(thing) + 1
        elif thing.get("model") == QUOTE:
            keys = [[one["fields"].get("key")] for one in posts]
            key = thing["fields"].get("post")
            number = keys.index(key) + 1 if key in keys else None
    return None, sentence, number


def posts_of(upload: Upload) -> list[Sent]:
    """The posts of an upload with their quotes, in order."""
    posts = _of(upload, POST)
    numbers = {one["fields"].get("key"): number for number, one in enumerate(posts, 1)}
    found = []
    for number, one in enumerate(posts, 1):
        fields = one["fields"]
        parent = fields.get("parent")
        if fields.get("parent_basis") in ("unknown", "opening"):
            answers = ""
        else:
            answers = str(numbers.get(_key(parent), "?")) if parent else "1"
        found.append(Sent(number, fields, answers))
    for one in _of(upload, QUOTE):
        quoting = numbers.get(_key(one["fields"].get("post")))
        if quoting is not None:
            source = numbers.get(_key(one["fields"].get("source_post")))
            found[quoting - 1].quotes.append({**one["fields"], "source": source})
    return found


def _key(natural) -> str | None:
    return natural[0] if isinstance(natural, list) and natural else None


def _of(upload: Upload, model: str) -> list[dict]:
    return [one for one in upload.objects_read if one.get("model") == model]


def stored_texts(upload: Upload, numbers: Collection[int] | None = None) -> list[str]:
    """The texts of a debate that is being looked over; of its posts only those with these numbers,
    unless None."""
    head = upload.objects_read[0]["fields"]
    forks = [one["fields"] for one in _of(upload, DIVERGENCE)]
    posts = [one["fields"] for one in _of(upload, POST)]
    found = [head.get("title"), head.get("source")]
    found += [one.get(name) for one in forks for name in ("change", "place", "actor")]
    for number, one in enumerate(posts, 1):
        if numbers is None or number in numbers:
            found += [one.get("byline"), one.get("text")]
    found += [one["fields"].get("text") for one in _of(upload, QUESTION)]
    return [str(text or "") for text in found]


def correct(
    *,
    user,
    upload: Upload,
    thread: Mapping[str, str],
    posts: Mapping[int, Mapping],
    divergences: Sequence[Mapping[str, str]] | None = None,
    questions: Sequence[str] | None = None,
    base: str | None = None,
) -> list[str]:
    """Take corrections over: fields of the debate, of posts by their numbers ("byline",
    "written_at", "answers", "text", "quotes": [(first, last, source number)]), and, unless None,
    divergences and questions. Returns what could not be taken, one sentence each; the rest is kept.
    Raises ChangedMeanwhile, where words were erased since `base` was the sum of `stored_texts`.
    """
    problems: list[str] = []
    with transaction.atomic():
        upload = Upload.objects.select_for_update(no_key=True).get(pk=upload.pk)
        require(user, "load", upload.board)
        objects = upload.objects_read
        if any(BLACK in text for text in stored_texts(upload)):
            check_base(base, stored_texts(upload))
        board = Board.objects.filter(slug=thread.get("board", "")).first()
        if board is not None and board.pk != upload.board_id:
            require(user, "load", board)
            upload.board = board
        head = objects[0]["fields"]
        head["board"] = [upload.board.slug]
        for name in ("title", "kind", "source"):
            if name in thread:
                head[name] = thread[name]
        rows = _of(upload, POST)
        for number, typed in posts.items():
            if 1 <= number <= len(rows):
                problems += _correct_post(objects, rows, number, typed)
        if divergences is not None:
            problems += _correct_divergences(objects, head, divergences)
        if questions is not None:
            objects[:] = [one for one in objects if one.get("model") != QUESTION]
            objects += [
                {"model": QUESTION, "fields": {"thread": [head["key"]], "text": text}}
                for text in questions
            ]
        upload.save(update_fields=["board", "objects_read", "saved_at"])
    return problems


def _correct_post(objects: list, rows: list, number: int, typed: Mapping) -> list[str]:
    fields, problems = rows[number - 1]["fields"], []
    key = fields.get("key")
    fields["byline"] = typed.get("byline", fields.get("byline", ""))
    fields["text"] = typed.get("text", fields.get("text", "")).replace("\r\n", "\n")
    fields["written_at"] = typed.get("written_at") or None
    answers = typed.get("answers", "").strip()
    if number > 1:
        if not answers:
            fields["parent"], basis = None, Post.Basis.UNKNOWN
        elif answers.isdecimal() and 1 <= int(answers) < number:
            above = int(answers)
            fields["parent"] = None if above == 1 else [rows[above - 1]["fields"]["key"]]
            sources = {source for _, _, source in typed.get("quotes", ())}
            basis = Post.Basis.QUOTE if above in sources else Post.Basis.EDITOR
        else:
            basis = fields.get("parent_basis")
            problems.append(f"#{number} answers “{answers}”: give the number of an earlier post.")
        fields["parent_basis"] = str(basis)
    if fields.get("format") != "plain":
        return problems
    reasons = {
        tuple(one["fields"].get("paragraphs") or ()): one["fields"].get("reason", "")
        for one in objects
        if one.get("model") == QUOTE and one["fields"].get("post") == [key]
    }
    objects[:] = [
        one for one in objects if one.get("model") != QUOTE or one["fields"].get("post") != [key]
    ]
    quotes = []
    for ordinal, (first, last, source) in enumerate(sorted(typed.get("quotes", ())), 1):
        if not 1 <= source < number:
            problems.append(f"#{number} quotes “{source}”: give the number of an earlier post.")
            source = None
        quotes.append(
            {
                "model": QUOTE,
                "fields": {
                    "post": [key],
                    "ordinal": ordinal,
                    "paragraphs": [first, last],
                    "source_post": [rows[source - 1]["fields"]["key"]] if source else None,
                    "reason": reasons.get((first, last), "an editor read it so"),
                },
            }
        )
    last_post = max(at for at, one in enumerate(objects) if one.get("model") == POST)
    objects[last_post + 1 : last_post + 1] = quotes
    return problems


def _correct_divergences(objects: list, head: Mapping, divergences: Sequence[Mapping]) -> list[str]:
    kept: list[dict] = []
    problems: list[str] = []
    spots = {  # a place that stays keeps where it lies
        one["fields"].get("place"): {
            name: one["fields"][name] for name in SPOT if one["fields"].get(name) is not None
        }
        for one in objects
        if one.get("model") == DIVERGENCE
    }
    for one in divergences:
        if not any(one.values()):
            continue
        try:
            edtf = read_date(one.get("when", "")).edtf
        except NotADate as error:
            problems.append(str(error))
            continue
        fields = {"thread": [head["key"]], "change": one.get("change", ""), "edtf": edtf}
        fields |= {"actor": one.get("actor", ""), "place": one.get("place", "")}
        fields |= spots.get(fields["place"]) or fixture.spot_fields(places.meant(fields["place"]))
        kept.append({"model": DIVERGENCE, "fields": {**fields, "by_editor": True}})
    if not problems:
        objects[:] = [one for one in objects if one.get("model") != DIVERGENCE] + kept
    return problems


def load(*, user, upload: Upload, reason: str = "") -> loading.Loaded:
    """Load the debate; what was uploaded goes, and the log tells of it, in the transaction that
    shows the debate. Raises Rejected and permissions.Refused."""
    require(user, "load", upload.board)
    read = parsing.read(fixture.dump(upload.objects_read), upload.name)
    board = Board.objects.filter(slug=read.board).first()
    if board is None:
        raise read.reject(f'there is no board "{read.board}" here.')
    require(user, "load", board)
    here = Thread.objects.select_related("board").filter(key=read.key).first()
    if here is not None and here.state != "loading":
        require(user, "moderate", here)

    def finish(loaded: loading.Loaded) -> None:
        with transaction.atomic():
            Upload.objects.filter(pk=upload.pk).delete()
            if loaded.added:
                record(user, "load", thread=loaded.thread, reason=reason, posts=loaded.added)

    return loading.load(read, user=user, finish=finish)


def discard(*, user, upload: Upload) -> None:
    """Throw away what was sent. Raises permissions.Refused."""
    require(user, "load", upload.board)
    Upload.objects.filter(pk=upload.pk).delete()
