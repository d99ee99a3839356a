"""Drafts: saved every few seconds while somebody writes, gone when the text is posted."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import transaction

from core.columns import longest
from core.inserting import Change, for_column
from core.opened_texts import as_erased
from core.problems import Problem
from core.spellings import BLACK, blackened_as
from forum.text import markup
from forum.text.history_dates import spoken

from ..models import Draft, Poll, Post, PostBody, Submission, Thread
from . import polls
from .divergences import spot_to_type
from .erased_quotes import without_erased_quotes

MAX_DRAFTS = 50  # of one member: more are forgotten texts, and each may hold 60,000 characters
LABEL = longest(Draft, "label")
# No form of ours comes near these: five divergences, ten questions, an own answer.
MAX_FIELDS = 100
MAX_FIELDS_SIZE = 20_000
_EDIT = re.compile(r"/posts/(\d{1,18})/edit/")
_REPLY = re.compile(r"/threads/(\d{1,18})/reply/(?:\?to=(\d{1,18}))?")
TITLE = longest(Draft, "title")


class NotKept(Problem):
    """The draft could not be kept."""


def save(
    *,
    user,
    token: UUID,
    target: str,
    label: str,
    text: str,
    title: str = "",
    fields: Mapping[str, Sequence[str]] | None = None,
    restored: UUID | None = None,
    restored_at: datetime | None = None,
) -> Draft:
    """Keep the text of one form under the form's token: two tabs never overwrite each other.
    `fields` are the values of all its other fields, by name.

    `restored` is the token of the draft that the form was opened with: its text lives on in this
    one, so it goes, unless somebody went on writing there since. Raises NotKept.
    """
    kept_fields = {name: list(values) for name, values in (fields or {}).items()}
    if len(text) > markup.MAX_SOURCE:
        raise NotKept(f"A draft holds at most {markup.MAX_SOURCE:,} characters.")
    size = sum(len(name) + sum(map(len, values)) for name, values in kept_fields.items())
    if len(kept_fields) > MAX_FIELDS or size > MAX_FIELDS_SIZE:
        raise NotKept(f"A draft holds at most {MAX_FIELDS_SIZE:,} characters beside its text.")
    if any("\0" in typed for typed in (text, title, *kept_fields, *chain(*kept_fields.values()))):
        raise NotKept("The text holds a NUL character, which cannot be stored.")
    kept = list(Draft.objects.filter(user=user, token__in={token, restored or token}))
    text = _as_erased(user, target, kept_fields, text)
    text, title, kept_fields = _as_drafts_were(kept, text, title, kept_fields)
    with transaction.atomic():
        known = Draft.objects.filter(user=user, token=token).exists()
        if restored and restored_at and restored != token:
            discard(user=user, token=restored, saved_by=restored_at)
        if not known and Draft.objects.filter(user=user).count() >= MAX_DRAFTS:
            raise NotKept(f"You keep {MAX_DRAFTS} drafts already. Post or discard one first.")
        draft, _ = Draft.objects.update_or_create(
            user=user,
            token=token,
            defaults={
                "target": target,
                "label": label[:LABEL],
                "text": text,
                "title": title[:TITLE],
                "fields": kept_fields,
            },
        )
    # Asked after the commit: saved while it was being posted, it would come back after it.
    if Submission.objects.filter(token=token).exists():
        discard(user=user, token=token)
        raise NotKept("This was posted already.")
    return draft


def _as_erased(user, target: str, fields: Mapping[str, Sequence[str]], text: str) -> str:
    """The text of a form that stands open, without words that were erased since from the post that
    it edits, or from those that it quotes: its draft must not bring them back."""
    edited, replied = _EDIT.fullmatch(target), _REPLY.fullmatch(target)
    thread = Thread.objects.filter(pk=replied[1]).first() if replied else None
    parent = Post.objects.filter(pk=replied[2]).first() if replied and replied[2] else None
    text = without_erased_quotes(text, user=user, thread=thread, parent=parent)
    if not edited or not fields.get("base"):
        return text
    own = PostBody.objects.filter(pk=int(edited[1]), post__author=user)
    body = own.select_related("revision").first()
    if body is None or body.revision.sha256.startswith(fields["base"][0].partition(".")[2] or "-"):
        return text
    return blackened_as(text, body.revision.source)


def _as_drafts_were(
    kept: Sequence[Draft], text: str, title: str, fields: dict[str, list[str]]
) -> tuple[str, str, dict[str, list[str]]]:
    """What a form holds, without what was erased from the drafts that were kept of it."""
    for draft in kept:
        stored = [draft.title, draft.text, *chain(*draft.fields.values())]
        if any(BLACK in one for one in stored):
            typed = {("title", -1): title, ("text", -1): text}
            typed |= {(name, n): one for name in fields for n, one in enumerate(fields[name])}
            typed = as_erased(typed, stored)
            title, text = typed.pop(("title", -1)), typed.pop(("text", -1))
            fields = {name: [typed[name, n] for n in range(len(fields[name]))] for name in fields}
    return text, title, fields


def label_for(thread: Thread | None, post: Post | None = None, *, edit: bool = False) -> str:
    """What a list of drafts says about a form: "Answer to #5 in …", "Edit of #5 in …"."""
    if thread is None:
        return "A new debate"
    number = f"#{post.number} in " if post and post.number else ""
    return f"{'Edit of' if edit else 'Answer to'} {number}{thread.title}"[:LABEL]


def newest(user, target: str) -> Draft | None:
    """The draft that a form for `target` opens with, if there is one."""
    return Draft.objects.filter(user=user, target=target).order_by("-saved_at").first()


def end_of_draft(user, token: UUID) -> Change:
    """What discards the draft of a form together with the rows of what was posted by it."""
    return Change(
        f'DELETE FROM "{Draft._meta.db_table}" WHERE "token" = %s AND "user_id" = %s',
        [for_column(Draft, "token", token), for_column(Draft, "user", user.pk)],
    )


def discard(*, user, token: UUID, saved_by: datetime | None = None) -> None:
    """Throw one draft away: it was posted, or its writer does not want it. With `saved_by`, not if
    somebody went on writing in it since."""
    drafts = Draft.objects.filter(user=user, token=token)
    if saved_by is not None:
        drafts = drafts.filter(saved_at__lte=saved_by)
    drafts.delete()


# --- Texts that were not let in ----------------------------------------------------------------


def give_back(post: Post) -> None:
    """Put the text of a post that does not appear among its author's drafts, for the form that it
    came from, also past MAX_DRAFTS: nothing that was typed is lost."""
    if post.author_id is None:
        return
    source, thread, title = post.body.revision.source, post.thread, ""
    fields = {"lane": [post.lane], "stance": [post.stance]}
    target = f"/threads/{thread.pk}/reply/" + (f"?to={post.parent_id}" if post.parent_id else "")
    if post.is_opening:
        target, title = "/threads/new/", thread.title
        fields = {"board": [thread.board.slug], "kind": [thread.kind], "policy": [thread.policy]}
        fields["own_answer"] = [thread.own_answer]
        for n, one in enumerate(thread.card.get("divergences", ()), -1):
            prefix = "" if n < 0 else f"more-{n}-"
            fields[f"{prefix}when"] = [spoken(one["edtf"])]
            fields[f"{prefix}spot"] = [spot_to_type(one)]
            for name in ("change", "place", "actor"):
                fields[prefix + name] = [one[name]]
        fields["more-TOTAL_FORMS"] = [str(max(len(thread.card.get("divergences", ())) - 1, 0))]
        fields["more-INITIAL_FORMS"] = ["0"]
        fields["question"] = [one["text"] for one in thread.card.get("questions", ())]
    if poll := Poll.objects.filter(post=post).first():
        fields |= polls.typed(poll)
    Draft.objects.get_or_create(
        user_id=post.author_id,
        token=_token(post),
        defaults={
            "target": target,
            "label": label_for(None if post.is_opening else thread, post.parent),
            "text": source,
            "title": title[:TITLE],
            "fields": fields,
        },
    )


def take_again(post: Post) -> None:
    """Take the text of a post that comes in after all out of its author's drafts, unless somebody
    wrote on in it."""
    Draft.objects.filter(
        user_id=post.author_id, token=_token(post), text=post.body.revision.source
    ).delete()


def _token(post: Post) -> UUID:
    return uuid5(NAMESPACE_URL, f"jonbar:given back:{post.key}")
