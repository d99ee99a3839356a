"""What a reader is shown for the quotes in some posts: one word each, asked of few posts at a time,
since it depends on who reads and no index can hold it."""

from collections.abc import Sequence

from core.compiled_queries import CompiledQuery
from forum.models import PostBody, Quote, State
from forum.models.visibility import ForReader, threads_visible_to

_quotes = CompiledQuery(
    "quotes_asked",
    # All current texts at once: from each quote to its post's text takes half as long again.
    lambda ids: Quote.objects.filter(
        post__in=ids, revision__in=PostBody.objects.filter(post__in=ids).values("revision")
    ).values_list("post", "verdict", "stands", "source_post__thread", "source_post__state"),
    "numbers",
)
_debates = ForReader(
    "debates_of_sources",
    lambda user, ids: threads_visible_to(user).filter(pk__in=ids).values_list("pk", flat=True),
    "numbers",
    alike=True,
)


def statuses(ids: Sequence[int], user) -> dict[int, set[str]]:
    """For each of these posts whose current text quotes: the words that `user` is shown for its
    quotes (`rendering.quotes.shown_status` says it of one). Two queries."""
    rows = _quotes(ids)
    seen = set(_debates(user, list({thread for *_, thread, _ in rows if thread})))
    found: dict[int, set[str]] = {}
    for post, verdict, stands, thread, state in rows:
        word = _shown(verdict, stands, state if thread in seen else None)
        found.setdefault(post, set()).add(word)
    return found


def _shown(verdict: str, stands: bool, state: str | None) -> str:
    """The word, for a source in `state`; None: one that is not there for the reader."""
    if state in (State.HIDDEN, State.REMOVED):
        return "removed"
    if state != State.VISIBLE:
        return Quote.Verdict.UNVERIFIABLE
    if verdict in (Quote.Verdict.EXACT, Quote.Verdict.SHORTENED) and not stands:
        return "edited"
    return verdict
