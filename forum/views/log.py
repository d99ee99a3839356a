"""The moderation log: what was done, by whom, to what and why, for everybody to read."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from core.counting import counted
from forum.moderation import undoing

from ..acts import ACTS, ON_MEMBERS, PUBLIC
from ..models import AuditEntry, Board
from ..models.visibility import boards_visible_to, entries_visible_to
from ..permissions import may

PER_PAGE = 40


def log(request: HttpRequest) -> HttpResponse:
    """One page of the log, newest first, of all boards or one, of all acts or one."""
    boards = list(boards_visible_to(request.user).in_order())
    asked = {name: request.GET.get(name, "") for name in ("board", "act")}
    if asked["act"] and asked["act"] not in PUBLIC:
        raise Http404
    entries = entries_visible_to(request.user).for_listing().order_by("-pk")
    if asked["board"]:
        board = next((board for board in boards if board.slug == asked["board"]), None)
        if board is None:
            raise Http404
        entries = entries.filter(board=board)
    if asked["act"]:
        entries = entries.filter(verb=asked["act"])
    before = request.GET.get("before", "")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise Http404
        entries = entries.filter(pk__lt=int(before))
    found = entries.in_short(PER_PAGE + 1)
    known = {board.pk: board for board in boards}
    return render(
        request,
        "log/log.html",
        {
            "entries": [_line(entry, request.user, known) for entry in found[:PER_PAGE]],
            "boards": boards,
            "acts": {verb: ACTS[verb].log.replace("{}", "…") for verb in PUBLIC},
            "asked": asked,
            "query": urlencode({name: value for name, value in asked.items() if value}),
            "older": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
            "later": bool(before),
        },
    )


def _line(entry: AuditEntry, user, boards: Mapping[int, Board]) -> dict:
    """One line of the log, naming only what `user` may see. `before` and `after` stand around the
    link to the thing."""
    thing, href = _thing(entry, user, boards)
    before, _, after = ACTS[entry.verb].log.partition("{}")
    return {
        "entry": entry,
        "before": before,
        "after": after,
        "thing": thing,
        "href": href,
        "board": entry.board if entry.board_id in boards else None,
        "who": _who(entry),
        "unseen": _unseen(entry),
        "undoable": _undoable(entry, user),
    }


def _undoable(entry: AuditEntry, user) -> bool:
    """Whether the line leads to the page that takes the act back; that page asks all of it."""
    return (
        entry.thread is not None
        and entry.verb in undoing.ACTS
        and not hasattr(entry, "undone_by")
        and may(user, "moderate", entry.thread)
    )


def _unseen(entry: AuditEntry) -> str:
    """What stayed, unseen, with a debate that went into another one."""
    left = [
        counted(many, f"{noun},{noun}s")
        for noun, many in sorted(entry.detail.get("unseen", {}).items())
        if many
    ]
    return f"Kept with the debate that went in, and not shown: {', '.join(left)}." if left else ""


def _who(entry: AuditEntry) -> str:
    """Who acted; empty for "a moderator"."""
    if entry.actor is None:
        return "the site's keepers"
    return entry.actor.username if settings.LOG_NAMES_MODERATORS else ""


def _thing(entry: AuditEntry, user, boards: Mapping[int, Board]) -> tuple[str, str]:
    """What an entry is about in words, and its address; what is out of sight has no name."""
    if entry.post is not None and entry.verb not in ON_MEMBERS:
        post = entry.post
        if not may(user, "see thread", post.thread):
            return "a post", ""
        if post.number is None:
            return f"a post in “{post.thread}”", ""
        return f"#{post.number} in “{post.thread}”", post.get_absolute_url()
    if entry.thread is not None and entry.verb not in ON_MEMBERS:
        if not may(user, "see thread", entry.thread):
            return "a debate", ""
        return f"“{entry.thread}”", entry.thread.get_absolute_url()
    if entry.member is not None:
        if not entry.member.is_active:
            return "a member", ""
        return entry.member.username, f"/members/{entry.member.username}/"
    if entry.board is not None and entry.board_id in boards:
        return f"the board “{entry.board}”", entry.board.get_absolute_url()
    if entry.other_board is not None:
        board = boards.get(entry.other_board)
        name = board.name if board else entry.detail["name"]
        return f"the board “{name}”", board.get_absolute_url() if board else ""
    if entry.verb in ("define", "forget"):
        term = entry.detail["after"] or entry.detail["before"]
        return f"“{term['name']}”", "/glossary/"
    if page := entry.detail.get("page"):
        return f"the page “{page}”", f"/{page}/"
    return "the site", ""
