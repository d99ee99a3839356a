"""What other debates show of a post: quotes of it, and that it quotes them (decision 0010)."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, QuerySet

from accounts.models import raise_site_version

from ..models import Post, PostRevision, Quote, State, Thread


def touch(thread_ids: Iterable[int], *, quiet: bool = False) -> None:
    """Mark other threads as changed once this transaction stands, so that no cache shows their old
    state; `quiet`: all that happened is that a new post quotes some of theirs (decision 0049).
    After the commit and one by one, since a second lock inside it could wait for ours."""
    wanted = sorted(set(thread_ids))

    def mark() -> None:
        for thread_id in wanted:
            Thread.objects.filter(pk=thread_id).update(
                version=F("version") + 1, quiet=F("quiet") + int(quiet)
            )

    if wanted:
        # The write itself stands: what goes wrong here is logged, and a version lags behind.
        transaction.on_commit(mark, robust=True)


def refresh(post: Post) -> None:
    """Let no other debate go on showing how a post was that has just changed its state: beside the
    quotes of it, and as a backlink of what it quotes. Called last, in the transaction."""
    # Whoever writes a quote of it shares its row: from here on that quote is seen below, or it is
    # written, and drawn, after this commit.
    list(Post.objects.select_for_update().filter(pk=post.pk).values_list("pk"))
    quoting = Quote.objects.filter(post=post, source_post__isnull=False)
    others = quoting.exclude(source_post__thread_id=post.thread_id)
    sources = set(others.values_list("source_post__thread_id", flat=True))
    gone = bool(sources) and post.state != State.VISIBLE
    if gone or quoted(post).exists():
        raise_site_version()  # what is taken back must not show anywhere from this commit on
    else:
        touch(sources)


def quoted(post: Post) -> QuerySet[Quote]:
    """The quotes of this post in other threads, which show its state beside them."""
    return Quote.objects.filter(source_post=post).exclude(post__thread_id=post.thread_id)


def backlinks(revision: PostRevision) -> set[tuple[int, int | None]]:
    """The posts and passages of other debates that say that this text quotes them."""
    quotes = Quote.objects.filter(revision=revision, source_post__isnull=False)
    elsewhere = quotes.exclude(source_post__thread=F("post__thread"))
    return set(elsewhere.values_list("source_post_id", "source_passage"))
