"""Who quotes a post, as a reader sees it beside the passages that are quoted."""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import BigIntegerField, F, FilteredRelation, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from core.compiled_queries import CompiledQuery
from forum.models import Post, Quote, State
from forum.permissions import may

# Quotes named under a passage; the rest stand on a page of their own.
MAX_BACKLINKS = 8
MOST_LOOKED_AT = 100  # quotes of one post, for these names
ENDLESS = 2**62  # behind every id


class _Each(Subquery):
    """A row for each of a queryset, which only PostgreSQL gives."""

    template = "unnest(ARRAY(%(subquery)s))"
    output_field = BigIntegerField()


def _first_of(ids):
    """The first MOST_LOOKED_AT quotes of each of these posts, and no row more; a window that
    numbers them would read all quotes of each."""
    posts = Post.objects.filter(pk__in=ids)
    quotes = Quote.objects.filter(source_post=OuterRef("pk")).order_by("pk").values("pk")
    if connection.vendor == "postgresql":
        # Of a join up to a bound, as below, it may read all quotes of the forum.
        return posts.values(first=_Each(quotes[:MOST_LOOKED_AT]))
    behind = Subquery(quotes[MOST_LOOKED_AT : MOST_LOOKED_AT + 1])
    up_to = Q(quoted_by__pk__lt=Coalesce(behind, ENDLESS))
    rows = posts.annotate(first=FilteredRelation("quoted_by", condition=up_to))
    return rows.filter(first__isnull=False).values("first__pk")


_quoted_by = CompiledQuery(
    "quotes_of",
    lambda ids: (
        Quote.objects.filter(pk__in=_first_of(ids))  # type: ignore[no-redef]  # declared for its readers
        .select_related("post__thread__board")
        .only(
            *("revision", "source_post", "source_passage", "post__number", "post__state"),
            *("post__thread__state", "post__thread__author", "post__thread__board__audience"),
        )
        .annotate(current_id=F("post__body__revision_id"))
        .order_by("post_id")
    ),
    "numbers",
)


@dataclass(frozen=True, slots=True)
class Backlinks:
    """Who quotes a passage: the first of them, and how many more there are; `at_least`: of those
    that were looked at."""

    links: list[dict]
    more: int
    at_least: bool


def backlinks(posts: Iterable[Post], user, here: Container[int]) -> dict[int, dict[int, Backlinks]]:
    """For each post, who quotes its passages, as far as `user` sees; of a post that is quoted more
    often than MOST_LOOKED_AT times, the first of them."""
    by_id = {post.pk: post for post in posts}
    seen: dict[int, bool] = {}
    found: dict[int, dict[int, dict]] = defaultdict(lambda: defaultdict(dict))
    looked_at: dict[int, int] = defaultdict(int)  # as far as this reader knows of them
    for quote in _quoted_by(list(by_id)):
        by, source_id = quote.post, quote.source_post_id
        if by.thread_id not in seen:
            seen[by.thread_id] = may(user, "see thread", by.thread)
        if not seen[by.thread_id]:
            continue
        looked_at[source_id] += 1
        if quote.revision_id == quote.current_id and by.state == State.VISIBLE:
            # Once, however often it quotes the passage.
            found[source_id][quote.source_passage][by.pk] = {
                "post": by.pk,
                "href": f"#post-{by.pk}" if by.pk in here else f"/posts/{by.pk}/",
                "number": by.number,
                "elsewhere": by.thread_id != by_id[source_id].thread_id,
            }
    return {
        source_id: {
            passage: Backlinks(
                list(links.values())[:MAX_BACKLINKS],
                max(len(links) - MAX_BACKLINKS, 0),
                looked_at[source_id] == MOST_LOOKED_AT,
            )
            for passage, links in passages.items()
        }
        for source_id, passages in found.items()
    }
