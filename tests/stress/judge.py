"""What a round left behind, judged from outside of it: `python -m tests.stress.judge LEDGER`.

On the forum of DATABASE_URL. Prints a line of JSON: what is wrong, one sentence each, and how often
each act was done and what was acknowledged.
"""

import json
import os
import sys
from collections import Counter

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
django.setup()

from django.db import connection  # noqa: E402 (models need the settings)
from django.db.models import F, Q  # noqa: E402

from forum.checking import check  # noqa: E402
from forum.models import AuditEntry, Post, PostRevision, Quote  # noqa: E402
from tests.clients import posts_with  # noqa: E402
from tests.races.crew import Entry, Ledger  # noqa: E402
from tests.races.soundness import faults  # noqa: E402


def judge(entries: list[Entry]) -> tuple[list[str], Counter]:
    """Compare what was acknowledged with what stands, and all rows with each other."""
    wrong = [*faults(connection), *map(str, check())]
    # Said again after the commit by whoever comes next; see tests/acts/test_crash_points.py.
    wrong = [one for one in wrong if "counts of notices" not in one]
    wrong += _claims(entries) + _rows(entries) + _erased(entries)
    return wrong, Counter(entry.kind for entry in entries)


def _claims(entries: list[Entry]) -> list[str]:
    """A claim that was acknowledged stands once; one that was not, once at most."""
    first, later = Counter(), Counter()
    # The plain text of a post is without what it quotes.
    for number, plain in PostRevision.objects.values_list("number", "plain"):
        if found := posts_with(plain):
            # An edit keeps what stood, and adds its own claim at the end.
            (first if number == 1 else later)[found[-1]] += 1
    found = [f"claim {token} is there {n} times" for token, n in first.items() if n > 1]
    for entry in entries:
        if entry.kind in ("reply", "start", "told") and not first[entry.token]:
            found.append(f"reply {entry.token} was acknowledged and is not there")
        if entry.kind == "edit" and not later[entry.token]:
            found.append(f"edit {entry.token} of post {entry.about} was acknowledged, not there")
    return found


def _rows(entries: list[Entry]) -> list[str]:
    """No post and no line of the log that was acknowledged is gone."""
    found = []
    for kind, model in (("post", Post), ("entry", AuditEntry)):
        there = set(model.objects.values_list("pk", flat=True))
        gone = {entry.about for entry in entries if entry.kind == kind} - there
        found += [f"{kind} {pk} was acknowledged and is gone" for pk in sorted(gone)]
    return found


def _erased(entries: list[Entry]) -> list[str]:
    """What was erased is in no text of its post, not in what is drawn of it, and in no quote that
    is said to hold its words."""
    found = []
    for entry in entries:
        if entry.kind != "secret":
            continue
        texts = Q(source__contains=entry.token) | Q(plain__contains=entry.token)
        if PostRevision.objects.filter(texts, post=entry.about).exists():
            found.append(f"erased words of post {entry.about} stand in a text of it")
        if Post.objects.filter(pk=entry.about, body__html__contains=entry.token).exists():
            found.append(f"erased words of post {entry.about} are drawn")
        quotes = Quote.objects.filter(words__contains=entry.token, source_post=entry.about).filter(
            verdict__in=("exact", "shortened"), post__body__revision=F("revision")
        )
        found += [
            f"quote {pk} holds erased words as exact" for pk in quotes.values_list("pk", flat=True)
        ]
    return found


def main() -> None:
    """Judge, and say it."""
    entries = list(Ledger(sys.argv[1]).news())
    wrong, counts = judge(entries)
    acts = Counter(entry.token for entry in entries if entry.kind == "did")
    print(json.dumps({"wrong": wrong, "acknowledged": counts, "acts": acts}))


if __name__ == "__main__":
    main()
