"""Quotes of words that were erased while a form stood open: its text holds them still, its source
does not. What is kept or posted goes without them."""

import re
from collections import defaultdict

from django.db.models import Q

from core import spellings
from core.spellings import BLACK

from ..models import Post, PostRevision, State, Thread
from ..models.visibility import threads_visible_to

MOST = 50  # texts with black letters that one form's quotes are compared with
_NAMED = re.compile(r"\bpost ?: ?(\d{1,18})|#(\d{1,9})\b", re.IGNORECASE)
_SHORTENED = re.compile(r"(\[?(?:…|\.\.\.)\]?)")


def without_erased_quotes(
    text: str, *, user, thread: Thread | None, parent: Post | None, known: str = ""
) -> str:
    """The text with what it quotes blackened where that was erased since, from the posts that its
    quotes name, or from the one that it answers. Quotes that stand in `known` stay as they are.

    Compared is only with texts that hold black letters, in debates that `user` sees; of a post that
    itself is out of sight all words go, so that nobody learns which are still there.
    """
    parts = [part for part in spellings.QUOTED.finditer(text) if part[0] not in known]
    if not parts:
        return text
    black = _black_texts(user, thread, parent, [part[0] for part in parts])
    if not black:
        return text
    out: list[str] = []
    at = 0
    for part in parts:
        out += text[at : part.start()], _cleaned(part[0], black, parent)
        at = part.end()
    return "".join([*out, text[at:]])


def _black_texts(user, thread, parent, parts: list[str]) -> dict[object, list[tuple[bool, str]]]:
    """The texts with black letters that these quotes may be of, by the post's id and by "#number":
    whether the post is in sight, and its plain text."""
    found = [one for part in parts for one in _NAMED.findall(part)]
    rule = Q(post__in={int(pk) for pk, _ in found if pk})
    if parent is not None:
        rule |= Q(post=parent.pk)
    if thread is not None:
        numbers = {int(number) for _, number in found if number}
        rule |= Q(post__thread=thread.pk, post__number__in=numbers)
    rows = (
        PostRevision.objects.filter(rule, plain__contains=BLACK)
        .filter(post__thread__in=threads_visible_to(user))
        .values_list("post_id", "post__thread_id", "post__number", "post__state", "plain")
    )
    texts: dict[object, list[tuple[bool, str]]] = defaultdict(list)
    for pk, thread_id, number, state, plain in rows[:MOST]:
        texts[pk].append((state == State.VISIBLE, plain))
        if thread is not None and thread_id == thread.pk:
            texts[f"#{number}"].append((state == State.VISIBLE, plain))
    return texts


def _cleaned(part: str, black: dict, parent: Post | None) -> str:
    """One quote, each piece of it compared with the post that the tag before it names; a plain ">"
    names none, and counts only where it repeats its source."""
    pieces, key = spellings.ATTRIBUTION.split(part), None
    tags = [*spellings.ATTRIBUTION.findall(part), ""]
    out: list[str] = []
    for piece, tag in zip(pieces, tags, strict=True):
        texts = black.get(key if key is not None else parent and parent.pk, ())
        for shown, plain in texts:
            piece = _piece(piece, shown, plain, named=key is not None)
        out += piece, tag
        if named := _NAMED.search(tag):
            key = int(named[1]) if named[1] else f"#{named[2]}"
        elif tag:
            key = None
    return "".join(out)


def _piece(piece: str, shown: bool, plain: str, *, named: bool) -> str:
    if _stands(piece, plain):
        return piece
    if not shown:
        return spellings.all_black(piece) if named else piece
    lines = re.split(r"(\n+)", piece)
    found = "".join(
        spellings.black_where(one, plain) for line in lines for one in _SHORTENED.split(line)
    )
    if found != piece or not named:
        return found
    return spellings.blackened_as(piece, plain)


def _stands(piece: str, plain: str) -> bool:
    """Whether all words of a piece stand in a text as they are, in their order."""
    words = " ".join(spellings.words_of(piece))
    return f" {words} " in f" {' '.join(spellings.words_of(plain))} "
