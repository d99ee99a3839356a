"""The moderation log: what was done, by whom, to what and why, for everybody to read."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404
from django.shortcuts import render

from ..models import AuditEntry, Board
from ..models.visibility import boards_visible_to, entries_visible_to
from ..permissions import may

PER_PAGE = 40
# What the log says of each verb, in the order in which the page offers them. "{}" is what was
# acted upon. A verb that is not here is told by its own name.
SAID = {
    "hide": "hid {}",
    "remove": "removed {}",
    "restore": "restored {}",
    "approve": "approved {}",
    "reject": "turned away {}",
    "no action": "looked at {}, which was reported, and left it as it is",
    "uphold": "read an answer about {} and let the act stand",
    "warn": "warned {}",
    "lift warning": "took back a warning of {}",
    "suspend": "suspended {}",
    "lift suspension": "lifted a suspension of {}",
    "clean up": "cleaned up after {}",
    "undo clean up": "undid a clean-up after {}",
    "rename member": "gave another name to {}",
    "refuse name": "refused another name to {}",
    "lock": "locked {}",
    "unlock": "unlocked {}",
    "lock branch": "locked the branch below {}",
    "unlock branch": "unlocked the branch below {}",
    "archive": "archived {}",
    "unarchive": "took {} out of the archive",
    "pin": "pinned {}",
    "unpin": "unpinned {}",
    "slow": "set the pace of {}",
    "move": "moved {} to another board",
    "split": "split {} off into a debate of its own",
    "move branch": "moved {} and what answers it to another debate",
    "merge": "let another debate go into {}",
    "merge duplicates": "let a double go into {}",
    "undo": "took back an act on {}",
    "load": "loaded {}",
    "erase": "erased words of {} for a legal reason",
    "demand approval": "asked for approval of new posts in {}",
    "waive approval": "let new posts appear at once in {}",
    "rename": "renamed {}",
    "set lane": "put {} into another lane",
    "tie answer": "said what {} answers",
    "describe": "described {} anew",
    "variant": "said of which debate {} is a variant",
    "mark": "marked {}",
    "unmark": "took the mark off {}",
    "make board": "made {}",
    "change board": "changed {}",
    "place board": "moved {} to another place",
    "remove board": "took out {}, which was empty",
    "invite": "changed who is invited to {}",
    "appoint": "gave {} rights",
    "edit page": "wrote {}",
    "define": "said in the glossary what {} means",
    "forget": "took {} out of the glossary",
}
# Acts on a member, also where a post gave the occasion.
ON_MEMBERS = ("warn", "lift warning", "suspend", "lift suspension", "appoint")
ON_MEMBERS += ("rename member", "refuse name")


def log(request):
    """One page of the log, newest first, of all boards or one, of all acts or one."""
    boards = list(boards_visible_to(request.user).in_order())
    asked = {name: request.GET.get(name, "") for name in ("board", "act")}
    if asked["act"] and asked["act"] not in SAID:
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
    found = list(entries[: PER_PAGE + 1])
    known = {board.pk: board for board in boards}
    return render(
        request,
        "log/log.html",
        {
            "entries": [_told(entry, request.user, known) for entry in found[:PER_PAGE]],
            "boards": boards,
            "acts": {verb: said.replace("{}", "…") for verb, said in SAID.items()},
            "asked": asked,
            "query": urlencode({name: value for name, value in asked.items() if value}),
            "older": found[PER_PAGE - 1].pk if len(found) > PER_PAGE else None,
            "later": bool(before),
        },
    )


def _told(entry: AuditEntry, user, boards: Mapping[int, Board]) -> dict:
    """One line of the log, naming only what `user` may see. `before` and `after` stand around the
    link to the thing."""
    thing, href = _thing(entry, user, boards)
    before, _, after = SAID.get(entry.verb, f"{entry.verb}: {{}}").partition("{}")
    return {
        "entry": entry,
        "before": before,
        "after": after,
        "thing": thing,
        "href": href,
        "board": entry.board if entry.board_id in boards else None,
        "who": _who(entry),
        "unseen": _unseen(entry),
    }


def _unseen(entry: AuditEntry) -> str:
    """What stayed, unseen, with a debate that went into another one."""
    left = [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for noun, count in sorted(entry.detail.get("unseen", {}).items())
        if count
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
