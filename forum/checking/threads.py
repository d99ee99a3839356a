"""One thread's parents, numbers, counters and address."""

from collections.abc import Iterator
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet

from core.counting import counted

from .. import tree
from ..models import NOWHERE, Post, State, Thread, slug_for
from .arguments import check_argument
from .faults import Fault
from .labels import CHUNK, check_labels
from .pictures import check_uses
from .polls import check_polls

NAMED = 5
UNNUMBERED = (State.PENDING, State.REJECTED)
# What was withdrawn while it waited never arrived: it has no number, and stands in no tree.
WITHDRAWN = Q(state=State.REMOVED, withdrawn=True, number__isnull=True, tree_id__lt=0)


def check_thread(thread_id: int, *, fix: bool) -> list[Fault]:
    """Everything about one thread that needs its lock. A thread that is gone, that is still being
    loaded or that went into another one has no faults."""
    with transaction.atomic():
        try:
            (thread,) = tree.lock(thread_id)
        except Thread.DoesNotExist:
            return []
        if thread.state in NOWHERE:
            return []
        found = [
            *_check_numbers(thread, fix=fix),
            *_check_parents(thread),
            *check_labels(thread, fix=fix),
            *_check_counters(thread, fix=fix),
            *check_argument(thread, fix=fix),
            *check_polls(thread, fix=fix),
            *check_uses(thread, fix=fix),
        ]
        if any(fault.healed for fault in found):
            tree.raise_version(thread_id)
    return found


def _check_numbers(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """Waiting posts, and those withdrawn before they arrived, have no number; all others run from 1
    on in order of arrival."""
    posts = Post.objects.filter(thread=thread)
    early = posts.filter(state__in=UNNUMBERED, number__isnull=False)
    if numbered := early.count():
        sentence = counted(numbered, "waiting post has a number,waiting posts have numbers")
        yield Fault(thread.pk, "numbers", sentence, healed=fix)
        if fix:
            early.update(number=None)
    arrived = posts.exclude(state__in=UNNUMBERED).exclude(WITHDRAWN)
    numbers = arrived.order_by(F("number").asc(nulls_last=True)).values_list("number", flat=True)
    if all(n == at for at, n in enumerate(numbers.iterator(chunk_size=CHUNK), 1)):
        return
    wrong = _misnumbered(arrived)
    sentence = counted(len(wrong), "post has another number,posts have other numbers")
    sentence += " than by arrival"
    yield Fault(thread.pk, "numbers", sentence, healed=fix)
    if fix:
        tree.renumber(thread, wrong)


def _misnumbered(arrived: QuerySet[Post]) -> list[tuple[int, int]]:
    """(id, right number) of the posts whose number is not their rank: the opening first, then in
    order of arrival."""
    rows = sorted(
        (basis != Post.Basis.OPENING, at, number or 0, pk)
        for pk, basis, at, number in arrived.values_list(
            "pk", "parent_basis", "loaded_at", "number"
        ).iterator(chunk_size=CHUNK)
    )
    return [(row[3], rank) for rank, row in enumerate(rows, 1) if row[2] != rank]


def _check_parents(thread: Thread) -> Iterator[Fault]:
    """What contradicts itself about who answers what. Parents are the truth: told, not changed."""
    posts = Post.objects.filter(thread=thread)
    numbered = posts.filter(number__isnull=False)
    roots = numbered.filter(parent_basis=Post.Basis.OPENING).order_by("number")
    openings = list(roots.values_list("number", flat=True)[:NAMED])
    if openings != list(numbered.order_by("number").values_list("number", flat=True)[:1]):
        yield Fault(thread.pk, "parents", f"its openings are {openings}", healable=False)
    rules = (
        (Q(parent__isnull=False) & ~Q(parent__thread=thread), "answer a post of another thread"),
        (Q(parent__parent_basis=Post.Basis.OPENING), "have the opening as parent, are no roots"),
        (Q(parent__isnull=False, parent__number__isnull=True), "answer a post that waits"),
        (Q(parent__number__gte=F("number"), parent__thread=thread), "came before what they answer"),
        (
            Q(parent__isnull=False, parent_basis__in=(Post.Basis.OPENING, Post.Basis.UNKNOWN)),
            "have a parent, though nobody knows of one",
        ),
    )
    if not numbered.filter(reduce(or_, (rule for rule, _ in rules))).exists():
        return
    for rule, sentence in rules:
        ids = list(numbered.filter(rule).order_by("pk").values_list("pk", flat=True)[: NAMED + 1])
        if ids:
            named = ", ".join(map(str, ids[:NAMED])) + (", …" if len(ids) > NAMED else "")
            yield Fault(thread.pk, "parents", f"posts {named} {sentence}", healable=False)


def _check_counters(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """How many posts and replies, and which is the last."""
    posts = Post.objects.filter(thread=thread, number__isnull=False)
    visible = posts.filter(state=State.VISIBLE)
    last = visible.order_by("-number").first()
    replies = Q(state=State.VISIBLE) & ~Q(parent_basis=Post.Basis.OPENING)
    right = {
        **posts.aggregate(numbered=Count("pk"), reply_count=Count("pk", filter=replies)),
        "last_post_id": last and last.pk,
        "last_post_at": _last_at(thread, last),
        "slug": slug_for(thread.title),
    }
    wrong = {name: value for name, value in right.items() if getattr(thread, name) != value}
    for name, value in wrong.items():
        sentence = f"{name} is {getattr(thread, name)}, should be {value}"
        yield Fault(thread.pk, "counters" if name != "slug" else "slug", sentence, healed=fix)
    if fix and wrong:
        for name, value in wrong.items():
            setattr(thread, name, value)
        tree.save_thread(thread, *(name.removesuffix("_id") for name in wrong))


def _last_at(thread: Thread, last: Post | None):
    """When the thread was last answered. Of what a fixture brought, the time at which it was
    written counts, unless somebody's post or act came since: any moment up to its loading."""
    if last is None:
        return thread.created_at
    if last.origin_id is not None and thread.last_post_at <= last.loaded_at:
        return thread.last_post_at
    return last.loaded_at
