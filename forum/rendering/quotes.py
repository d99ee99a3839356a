"""Quotes as a reader sees them: whose words they are, and how they stand to their source."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.db.models import F

from core.compiled_queries import CompiledQuery
from forum.models import Post, PostRevision, Quote, State
from forum.models.visibility import posts_visible_to
from forum.permissions import may
from forum.text import markup

# A whole-post quote longer than this folds behind its word count.
FOLD_WORDS = 40
WORDS_IN_LISTS = 200  # characters of a quote
WORDS = "<!--words-->"
STATUS = {
    "exact": "exact",
    "shortened": "shortened",
    "altered": "altered",
    "edited": "source edited since",
    "removed": "source removed",
    "unverifiable": "unverifiable",
}


def ignored_by(user) -> frozenset[int]:
    """The ids of the members that `user` ignores."""
    return frozenset(user.ignoring) if user.is_authenticated else frozenset()


_quotes = CompiledQuery(
    "quotes_in",
    lambda revisions: (
        Quote.objects.filter(revision_id__in=revisions)  # type: ignore[no-redef]  # declared for its readers
        .select_related("source_post__author", "source_post__thread__board")
        # What is shown of a source, and what its rights hang on.
        .only(
            *(
                "post",
                "revision",
                "ordinal",
                "passage",
                "source_revision",
                "source_passage",
                "start",
                "end",
            ),
            *("parts", "words", "verdict", "whole", "nested", "stance", "stands", "beside"),
            *("reason", "source_post__number", "source_post__state", "source_post__byline"),
            *("source_post__author__username", "source_post__thread__state"),
            *("source_post__thread__author", "source_post__thread__board__audience"),
        )
        .annotate(
            current_id=F("source_post__body__revision_id"),
            source_revision_number=F("source_revision__number"),
        )
        .order_by("ordinal")
    ),
    "numbers",
)


def quotes_in(posts: Iterable[Post]) -> dict[int, list[Quote]]:
    """The quotes of the current revisions, by revision, with their sources' authors and boards."""
    found = defaultdict(list)
    for quote in _quotes([post.body.revision_id for post in posts]):
        found[quote.revision_id].append(quote)
    return found


def shown_status(quote: Quote, user) -> str:
    """The one word that is shown for a quote to this reader."""
    source = quote.source_post
    if source is None or not may(user, "see thread", source.thread):
        return "unverifiable"
    if source.state in (State.HIDDEN, State.REMOVED):
        return "removed"
    if source.state != State.VISIBLE:
        return "unverifiable"
    if quote.verdict in (Quote.Verdict.ALTERED, Quote.Verdict.UNVERIFIABLE):
        return quote.verdict
    return quote.verdict if quote.stands else "edited"


def judged(posts: Sequence[Post], user) -> dict[int, list[tuple[Quote, str]]]:
    """For each revision of these posts, its quotes in order with the one word of STATUS that `user`
    is shown for each. Where the source is not named, the word is "unverifiable"."""
    quotes = quotes_in(posts)
    return {
        revision: [(quote, shown_status(quote, user)) for quote in group]
        for revision, group in quotes.items()
    }


def render_quote(
    frame: Callable[..., str],
    quote: Quote,
    status: str,
    numbers: dict[int, int],
    here: Container[int],
    ignoring: Container[int],
) -> tuple[str, str]:
    """The HTML before and after a quote's words, out of the `frame` of all quotes; `here` are the
    posts on the same page, `ignoring` the members whose words this reader folds away."""
    known = quote.source_post if status != "unverifiable" else None
    words = len(quote.words.split())
    html = frame(
        quote=quote,
        status=status,
        word=_word(quote, status),
        source=known,
        href=_passage_href(quote, here, status) if known and status != "removed" else "",
        fold=quote.whole and words > FOLD_WORDS,
        ignored=known is not None and known.author_id in ignoring,
        word_count=words,
        nested=[(pk, numbers[pk]) for pk in quote.nested if pk in numbers],
        beside=quote.beside if status == quote.verdict else (),
        compare=_compare_href(quote, status),
    )
    opening, _, closing = html.strip().partition(WORDS)
    return opening, closing


def _word(quote: Quote, status: str) -> str:
    """What is said of a quote. Of one that names no source, too, why it was not judged: that says
    nothing of a source that this reader may not know."""
    if quote.source_post_id is None and quote.reason == Quote.TOO_MUCH:
        return f"{STATUS[status]}: {Quote.TOO_MUCH}"
    return STATUS[status]


def _compare_href(quote: Quote, status: str) -> str:
    """The address of the page that compares a quote with its source, if there is something to
    compare that the page of the debate does not show itself; a preview has none."""
    if status == "shortened":
        longer = any(after - before > 2 for (_, before), (after, _) in pairwise(quote.parts))
    else:
        longer = status == "altered"
    wanted = status == "edited" or (longer and not quote.beside)
    return f"/posts/{quote.post_id}/quotes/{quote.ordinal}/" if wanted and quote.post_id else ""


def _passage_href(quote: Quote, here: Container[int], status: str) -> str:
    """The address of the passage: in the revision quoted if it does not stand any more, else on
    this page, or a permalink that finds its page."""
    if status == "edited":
        return (
            f"/posts/{quote.source_post_id}/history/?rev={quote.source_revision_number}"
            f"&at={quote.start}-{quote.end}#said"
        )
    if quote.source_post_id in here:
        return f"#post-{quote.source_post_id}-{quote.source_passage}"
    return f"/posts/{quote.source_post_id}/?p={quote.source_passage}"


def nested_numbers(quotes: dict, user) -> dict[int, int]:
    """Numbers of the posts whose words were trimmed out of quotes, as far as `user` sees them."""
    wanted = {pk for group in quotes.values() for quote in group for pk in quote.nested}
    if not wanted:
        return {}
    return dict(posts_visible_to(user).filter(pk__in=wanted).values_list("pk", "number"))


@dataclass(frozen=True, slots=True)
class Judgement:
    """A quote as the check judged it: its words, the verdict in a word ("unverifiable" for what the
    reader may not know of), and its source if that is known."""

    words: str
    verdict: str
    source: Post | None


def verdicts(posts: Sequence[Post], user) -> dict[int, list[Judgement]]:
    """For each post the quotes of its current text, as the check judged them. One query; what
    `render_posts` shows besides is how the source stands by now."""
    found = quotes_in(posts)
    return {
        post.pk: _judgements(found.get(post.body.revision_id, ()), post.body.html, user)
        for post in posts
    }


def _judgements(quotes: Sequence[Quote], html: str, user) -> list[Judgement]:
    words = quoted_words(html) if quotes else {}
    return [_judgement(quote, words.get(quote.ordinal, ""), user) for quote in quotes]


def _judgement(quote: Quote, words: str, user) -> Judgement:
    source = quote.source_post
    if source is None or not may(user, "see post", source):
        return Judgement(words, STATUS["unverifiable"], None)
    return Judgement(words, quote.get_verdict_display(), source)


def quoted_words(html: str) -> dict[int, str]:
    """The first words of each quote in a stored text, by its order, for a list: without those under
    a spoiler."""
    inside = markup.insides(html)
    return {n: markup.words_without_spoilers(one, WORDS_IN_LISTS) for n, one in inside.items()}


def names_every_source(revisions: Iterable[PostRevision], user) -> bool:
    """Whether pages name to `user` the source of each quote in these texts, and of what stood
    quoted within it. Two queries."""
    rows = Quote.objects.filter(revision__in=revisions)
    quotes = list(rows.select_related("source_post__thread__board"))
    nested = {pk for quote in quotes for pk in quote.nested}
    return all(shown_status(quote, user) != "unverifiable" for quote in quotes) and (
        not nested or posts_visible_to(user).filter(pk__in=nested).count() == len(nested)
    )
