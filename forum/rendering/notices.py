"""What a member is told, gathered by what it is about: three answers to one post are one line."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet

from forum.text import markup

from ..models import Notice, Post, PostBody, Reason, Watch
from ..models.visibility import notices_visible_to

PER_PAGE = 30  # lines
WINDOW = 150  # notices that one page gathers; a line that has more goes on on the next
NAMED = 3  # people
SHOWN = 200  # characters of the newest post's words

_ACTS = (Notice.Kind.ACT, Notice.Kind.OUTCOME)
# What is read of each notice; the rest is asked for the newest of a line alone.
_COLUMNS = {
    "pk": "pk",
    "kind": "kind",
    "reasons": "reasons",
    "sentence": "sentence",
    "watch": "watch_id",
    "at": "created_at",
    "read_at": "read_at",
    "post": "post_id",
    "number": "post__number",
    "basis": "post__parent_basis",
    "author": "post__author__username",
    "byline": "post__byline",
    "parent": "post__parent_id",
    "parent_number": "post__parent__number",
    "thread": "post__thread_id",
    "title": "post__thread__title",
    "board": "post__thread__board_id",
    "board_name": "post__thread__board__name",
    "board_slug": "post__thread__board__slug",
    "who": "change__member__username",
}


@dataclass(slots=True)
class NoticeLine:
    """One line of the page: what happened, to what, in whose words, and why one is told. `notice`
    is set for an act, which its own template draws; `mute` is the id of the debate of which one
    may ask to be told no more, `watch` the watch that may be stopped."""

    key: tuple
    rows: list[dict] = field(default_factory=list)
    title: str = ""
    href: str = ""
    words: str = ""
    because: str = ""
    watch: Watch | None = None
    mute: int | None = None
    notice: Notice | None = None

    @property
    def pk(self) -> int:
        """The id of its newest notice."""
        return self.rows[0]["pk"]

    @property
    def at(self) -> datetime:
        """When the newest of it was told."""
        return self.rows[0]["at"]

    @property
    def fresh(self) -> int:
        """How much of it was not read."""
        return sum(row["read_at"] is None for row in self.rows)


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Some lines, newest first, and behind which notice the next page goes on, if any does."""

    lines: list[NoticeLine]
    older: int | None


def notice_page(user, before: int | None = None, *, answers: bool = False) -> NoticePage:
    """What `user` is told, as far as they may see it, from the notice behind `before` on; with
    `answers` only what answers them. In at most five queries, however much there is."""
    found = notices_visible_to(user).order_by("-pk")
    if answers:
        first = Q(reasons__startswith=Reason.REPLY) | Q(reasons__startswith=Reason.ANSWER)
        found = found.filter(first)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = _rows(found[: WINDOW + 1])
    lines: dict[tuple, NoticeLine] = {}
    taken = 0
    for row in rows[:WINDOW]:
        key = _about(row)
        if key not in lines and len(lines) == PER_PAGE:
            break
        lines.setdefault(key, NoticeLine(key)).rows.append(row)
        taken += 1
    made = list(lines.values())
    _fill(user, made)
    return NoticePage(made, rows[taken - 1]["pk"] if taken < len(rows) else None)


def single_lines(user, ids: Iterable[int]) -> dict[int, NoticeLine]:
    """The notices of `user` with these ids by which they are told of posts, as far as they may see
    them, each as a line of its own, by id: for mails, which say of each by itself."""
    found = notices_visible_to(user).filter(pk__in=ids, post__isnull=False)
    lines = {row["pk"]: NoticeLine(_about(row), [row]) for row in _rows(found)}
    _fill(user, list(lines.values()))
    return lines


def _rows(found: QuerySet[Notice]) -> list[dict]:
    columns = found.values_list(*_COLUMNS.values())
    return [dict(zip(_COLUMNS, values, strict=True)) for values in columns]


def _reason(row: dict) -> str:
    return row["reasons"].partition(",")[0]


def _about(row: dict) -> tuple:
    """What a notice is about; those about the same are one line."""
    if row["kind"] != Notice.Kind.POST:
        return (row["kind"], row["pk"])
    opening, reason = row["basis"] == Post.Basis.OPENING, _reason(row)
    if reason == Reason.REPLY:
        return (reason, row["parent"] or 0, row["thread"])
    if reason == Reason.AUTHOR:
        return (reason, row["author"])
    if reason == Reason.STRETCH:
        return (reason, row["watch"])
    if reason == Reason.BOARD:
        return ("openings", row["board"]) if opening else (Reason.THREAD, row["thread"])
    return (reason, row["thread"])


# --- What a line says --------------------------------------------------------------------------


def _fill(user, lines: list[NoticeLine]) -> None:
    """Put into each line what it says."""
    acts = [line.pk for line in lines if line.key[0] in _ACTS]
    known = Notice.objects.for_listing().in_bulk(acts) if acts else {}
    others = [line for line in lines if line.key[0] not in (*_ACTS, *_SINGLE)]
    newest = [line.rows[0]["post"] for line in others]
    bodies = PostBody.objects.filter(post__in=newest) if newest else PostBody.objects.none()
    htmls = dict(bodies.values_list("post", "html"))
    ids = {row["watch"] for line in others for row in line.rows} - {None}
    watches = Watch.objects.filter(member=user).in_bulk(ids) if ids else {}
    for line in lines:
        if line.key[0] in _ACTS:
            line.notice = known[line.pk]
        elif line.key[0] in _SINGLE:
            _SINGLE[line.key[0]](line)
        else:
            _say_posts(line, watches)
            html = htmls.get(line.rows[0]["post"], "")
            line.words = markup.words_without_spoilers(html, SHOWN)


def _say_mind(line: NoticeLine) -> None:
    row = line.rows[0]
    line.title = f"You changed {_possessive(row['who'] or 'a member who left')} mind"
    line.because = f"In “{row['title']}”, by your #{row['number']}."
    line.href = f"/posts/{row['post']}/minds/"


def _say_reminder(line: NoticeLine) -> None:
    row = line.rows[0]
    line.title = f"You wanted to be reminded of #{row['number']} in “{row['title']}”"
    line.because = row["sentence"]
    line.href = f"/posts/{row['post']}/"


# What is told line by line, and needs nothing else asked.
_SINGLE = {Notice.Kind.MIND: _say_mind, Notice.Kind.REMINDER: _say_reminder}


def _possessive(name: str) -> str:
    return f"{name}’s"


def _say_posts(line: NoticeLine, watches: dict[int, Watch]) -> None:
    reason, row, many = line.key[0], line.rows[0], len(line.rows)
    unread = [one for one in line.rows if one["read_at"] is None]
    first = (unread or line.rows)[-1]
    line.href = f"/posts/{first['post']}/"
    names = [_writer(one) for one in line.rows]
    line.title = _TITLES[reason](row, many, names[0], f"“{row['title']}”")
    if reason == "openings" and many > 1:
        line.href = f"/boards/{row['board_slug']}/"
    people = _people(names) if many > 1 and reason != Reason.AUTHOR else ""
    line.because = " ".join(filter(None, [people, _besides(line)]))
    found = [watches[one["watch"]] for one in line.rows if one["watch"] in watches]
    if found:
        line.watch = found[0]
    elif reason in (Reason.REPLY, Reason.ANSWER, Reason.QUOTE, Reason.MENTION):
        line.mute = row["thread"]


def _writer(row: dict) -> str:
    return row["author"] or row["byline"] or "Unnamed member"


def _answers(row: dict, many: int, name: str, title: str) -> str:
    if row["parent"]:
        mine = f"your #{row['parent_number']} in {title}"
        return f"{many} replies to {mine}" if many > 1 else f"{name} replied to {mine}"
    mine = f"your debate {title}"
    return f"{many} answers to {mine}" if many > 1 else f"{name} answered {mine}"


def _openings(row: dict, many: int, name: str, title: str) -> str:
    return f"{many} new debates in {row['board_name']}" if many > 1 else f"{name} opened {title}"


def _by_author(row: dict, many: int, name: str, title: str) -> str:
    if many > 1:
        return f"{many} new posts by {name}"
    opened = row["basis"] == Post.Basis.OPENING
    return f"{name} opened {title}" if opened else f"{name} wrote in {title}"


_TITLES: dict[str, Callable[[dict, int, str, str], str]] = {
    Reason.REPLY: _answers,
    Reason.ANSWER: lambda row, many, name, title: (
        f"{many} answers to your questions in {title}"
        if many > 1
        else f"{name} answered a question of yours in {title}"
    ),
    Reason.QUOTE: lambda row, many, name, title: (
        f"{many} posts quote you in {title}" if many > 1 else f"{name} quotes you in {title}"
    ),
    Reason.MENTION: lambda row, many, name, title: (
        f"{many} posts mention you in {title}" if many > 1 else f"{name} mentions you in {title}"
    ),
    Reason.MARK: lambda row, many, name, title: (
        f"{many} new threadmarks in {title}" if many > 1 else f"A new threadmark in {title}"
    ),
    Reason.POST: lambda row, many, name, title: (
        f"{many} new posts in a branch of {title}"
        if many > 1
        else f"{name} wrote in a branch of {title}"
    ),
    Reason.THREAD: lambda row, many, name, title: (
        f"{many} new posts in {title}" if many > 1 else f"{name} wrote in {title}"
    ),
    Reason.STRETCH: lambda row, many, name, title: (
        f"{many} debates leave history where you watch it"
        if many > 1
        else f"{title} leaves history where you watch it"
    ),
    Reason.AUTHOR: _by_author,
    "openings": _openings,
}


def _people(names: Iterable[str]) -> str:
    """Who wrote, each once, the newest first: "A, B and C." """
    people = list(Counter(names))
    shown, rest = people[:NAMED], len(people) - NAMED
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more."
    if len(shown) == 1:
        return f"By {shown[0]}."
    return f"{', '.join(shown[:-1])} and {shown[-1]}."


def _besides(line: NoticeLine) -> str:
    """What else the posts of a line have to do with the reader."""
    others = {}
    for row in line.rows:
        more = [reason for reason in row["reasons"].split(",")[1:] if reason in _CONCERNS]
        if more:
            who = _writer(row) if len(line.rows) > 1 else "It"
            doing = " and ".join(Reason(reason).label for reason in more)
            others[f"{who} also {doing}."] = True
    return " ".join([*others][:NAMED])


_CONCERNS = (Reason.ANSWER, Reason.QUOTE, Reason.MENTION)
