"""The members whom posts name as @name."""

import re
from collections.abc import Container, Iterable

from django.db.models import F

from accounts.models import PastName, User, skeleton
from core.compiled_queries import CompiledQuery

MENTION = re.compile(r"<!--@([^>]+?)-->")


# Two looks into an index each. One condition that asks for either reads all members.
_named = CompiledQuery(
    "members_named",
    lambda named, once: (
        User.objects.filter(skeleton__in=named, is_active=True)
        .values_list("pk", "username", F("username"))
        .union(
            PastName.objects.filter(skeleton__in=once, user__is_active=True).values_list(
                "user_id", "user__username", "username"
            ),
            all=True,
        )
    ),
    "texts",
    "texts",
)


def members_mentioned(htmls: Iterable[str], ignoring: Container[int]) -> dict[str, str]:
    """The members mentioned on a page: lower-cased name to profile address. Those whom the reader
    ignores are plain text."""
    names = {name for html in htmls for name in MENTION.findall(html)}
    if not names:
        return {}
    skeletons = [skeleton(name) for name in names]
    rows = _named(skeletons, skeletons)
    return {
        name.lower(): f"/members/{username}/"
        for pk, username, name in reversed(rows)  # the names of today win
        if pk not in ignoring
    }
