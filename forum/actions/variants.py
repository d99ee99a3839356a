"""Variants: a debate says that it is another version of one that is here."""

from collections.abc import Sequence

from django.db import transaction

from .. import tree
from ..models import AuditEntry, State, Thread
from ..permissions import may, require
from . import elsewhere, notices
from .audit import record
from .composing import Unacceptable

VERB = "variant"


def declare(*, user, thread: Thread, other: Thread | None, reason: str = "") -> Thread:
    """Say which debate this one is a variant of, or (None) that it is none; the member who opened
    it does, or a moderator. Returns the thread.

    A debate that `user` may not see is not there for them either: it is replaced by one that is
    named, and stays where none is. Raises permissions.Refused or Unacceptable; then nothing was
    changed.
    """
    with transaction.atomic():
        ids = {thread.pk} | ({other.pk} if other else set())
        locked = {row.pk: row for row in tree.lock(*ids)}
        thread, other = locked[thread.pk], locked[other.pk] if other else None
        require(user, "describe", thread)
        check(thread, other, user)
        if shown(user, thread) == other:
            return thread
        before = _columns(thread)
        thread.variant_of, thread.variant_key = other, ""
        tree.save_thread(thread, "variant_of", "variant_key")
        elsewhere.touch(pk for pk in (thread.variant_of_id, before["variant_of_id"]) if pk)
        entry = record(
            user, VERB, thread=thread, reason=reason, before=before, after=_columns(thread)
        )
        notices.notify(thread.author, entry=entry)
    return thread


def check(thread: Thread | None, other: Thread | None, user) -> None:
    """Raise Unacceptable unless the debate `thread` (None: one about to be opened) can be a variant
    of `other`, and Refused unless `user` sees that."""
    if other is None:
        return
    require(user, "see thread", other)
    if other.state != State.VISIBLE:
        raise Unacceptable("Only a debate that everybody on its board sees can be named.")
    if thread is not None and other.pk == thread.pk:
        raise Unacceptable("A debate is no variant of itself. Name another one.")
    if thread is not None and other.variant_of_id == thread.pk:
        raise Unacceptable("That debate is a variant of this one already.")


def may_name(user, other: Thread) -> bool:
    """Whether `user` may say that a debate is a variant of `other`, or read that it is."""
    return other.state == State.VISIBLE and may(user, "see thread", other)


def shown(user, thread: Thread) -> Thread | None:
    """The debate of which this one is a variant, as far as `user` sees it."""
    other = thread.variant_of
    return other if other is not None and may_name(user, other) else None


def declared(thread: Thread) -> bool:
    """Whether somebody here said which debate this one is a variant of."""
    return AuditEntry.objects.filter(thread=thread, verb=VERB).exists()


def redirect(thread: Thread, into: Thread) -> list[int]:
    """Let the variants of a debate be variants of the one that it goes into, both locked; that one
    is none of itself. Returns their ids."""
    ids = list(Thread.objects.filter(variant_of=thread).order_by("pk").values_list("pk", flat=True))
    Thread.objects.filter(pk__in=ids).exclude(pk=into.pk).update(variant_of=into)
    if into.variant_of_id == thread.pk:
        into.variant_of = None
        tree.save_thread(into, "variant_of")
    elsewhere.touch(ids)
    return ids


def redirect_back(ids: Sequence[int], thread: Thread, into: Thread) -> None:
    """Let them be variants of `thread` again, where nobody said otherwise since."""
    rows = Thread.objects.filter(pk__in=ids)
    rows.filter(variant_of=into).update(variant_of=thread)
    rows.filter(pk=into.pk, variant_of=None).update(variant_of=thread)
    into.refresh_from_db(fields=["variant_of"])
    elsewhere.touch(ids)


def _columns(thread: Thread) -> dict:
    return {"variant_of_id": thread.variant_of_id, "variant_key": thread.variant_key}
