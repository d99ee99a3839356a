"""Laying into stored HTML what depends on the reader: attributions, verdicts, backlinks, mentions.

Stored HTML knows no names and no rights. `draw` fetches, for all posts of a page at once, the
quotes in them and the quotes of them, asks the charter about each source, and gives every post
its finished `html`. Three queries, and one more if a page holds mentions. No text is compared
here: what there is to say of one was found when it was saved, or stands on a page of its own.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from itertools import pairwise

from django.db.models import F, Q
from django.utils.safestring import mark_safe

from accounts.models import User, skeleton
from core.compiled_queries import CompiledQuery

from . import marking, markup
from .glossary import Glossary
from .jinja import filling
from .models import Post, Quote, State
from .models.visibility import posts_visible_to
from .permissions import alike, in_locked_branch, may, verbs

# A whole-post quote longer than this folds behind its word count.
FOLD_WORDS = 40
# Quotes named under a passage; the rest stand on a page of their own.
MAX_BACKLINKS = 8
WORDS = "<!--words-->"
MENTION = re.compile(r"<!--@([^>]+?)-->")

STATUS = {
    "exact": "exact",
    "shortened": "shortened",
    "altered": "altered",
    "edited": "source edited since",
    "removed": "source removed",
    "unverifiable": "unverifiable",
}


def draw(
    posts: Sequence[Post], *, user, road: bool = False, terms: Glossary | None = None
) -> Sequence[Post]:
    """Finish posts for a page: each gets `html` (None for a placeholder), `verbs`, `gone` and
    `ignored`. The posts come from `for_reading()` with their thread and board at hand.

    On a `road` each post answers the one before it: quotes of that one are left out, since it
    stands above, the words they quote are marked there, and `step` says in words what is answered.
    The first use of each of `terms` in a post is explained.
    """
    if not posts:
        return posts
    readable = []
    here = {post.pk for post in posts}
    ignoring = ignored_by(user)
    offer(posts, user=user)
    for post in posts:
        post.ignored = post.author_id in ignoring
        post.closed = in_locked_branch(post)
        post.html = None
        post.parent_here = post.parent_id in here
        if not post.gone:
            readable.append(post)
    quotes = _quotes_in(readable)
    shown = {quote.pk: _shown(quote, user) for group in quotes.values() for quote in group}
    notes = {} if road else _backlinks(readable, user, here)
    members = _members((post.body.html for post in readable), ignoring)
    numbers = _nested_numbers(quotes, user)
    answered = _answered_on(posts, quotes, shown) if road else {}
    frame = filling("posts/_quote.html")
    for post in readable:
        html = markup.without_quotes(
            post.body.html, [quote.ordinal for quote in answered.get(post.pk, ())]
        )
        said = getattr(post, "said", {})
        html = marking.mark_words(html, said) if said else html
        html = terms.explain(html, post.pk) if terms else html
        laid = {
            quote.ordinal: _around(frame, quote, shown[quote.pk], numbers, here, ignoring)
            for quote in quotes.get(post.body.revision_id, ())
        }
        html = markup.lay_in(
            html,
            post_id=post.pk,
            quotes=laid,
            notes=notes.get(post.pk, {}),
            members=members,
            marks=said,
        )
        post.html = mark_safe(html)
    return posts


def offer(posts: Iterable[Post], *, user) -> None:
    """Say of each post whether it is `gone` for `user`, and which `verbs` the page offers. The
    charter is asked once about all that it does not tell apart."""
    answers: dict = {}
    for post in posts:
        key = alike(user, post)
        if key not in answers:
            answers[key] = (not may(user, "see post", post), verbs(user, post))
        post.gone, post.verbs = answers[key]


def ignored_by(user) -> frozenset[int]:
    """The ids of the members that `user` ignores."""
    return frozenset(user.ignoring) if user.is_authenticated else frozenset()


def _answered_on(
    posts: Sequence[Post], quotes: dict[int, list[Quote]], shown: dict[int, str]
) -> dict[int, list[Quote]]:
    """For each post of a road, its quotes of the post before; sets `said` (the passages answered)
    there and `step` here."""
    found = {}
    for before, post in pairwise(posts):
        of_it = []
        if not (post.gone or before.gone):
            of_it = [
                quote
                for quote in quotes.get(post.body.revision_id, ())
                if quote.source_post_id == before.pk and shown[quote.pk] != "unverifiable"
            ]
        found[post.pk] = of_it
        current = [q for q in of_it if q.source_revision_id == q.current_id]
        before.said = _said(before, current)
        if any(quote.whole for quote in of_it):
            post.step = f"answers the whole of #{before.number}"
        elif of_it:
            one = "passage" if len(before.said) == 1 else "passages"
            post.step = f"answers the marked {one} of #{before.number}"
        elif post.parent_id == before.pk:
            post.step = f"answers #{before.number}"
    return found


def _said(post: Post, quotes: Iterable[Quote]) -> dict[int, set[tuple[int, str]]]:
    """The words of a post that quotes of its current text repeat, as `marking.mark_words` takes
    them: by passage, how many characters stand before them, and the words."""
    plain = post.body.revision.plain
    found = defaultdict(set)
    for quote in quotes:
        for first, last in quote.parts or [(quote.start, quote.end)]:
            for number, (start, end) in enumerate(post.body.revision.passages, 1):
                if start < last and end > first:
                    a, b = max(start, first), min(end, last)
                    before = len("".join(plain[start:a].split()))
                    found[number].add((before, plain[a:b]))
    return found


def draw_preview(composed, *, user, post_id="preview") -> str:
    """The HTML of a composed text that is not stored yet, as it will be drawn."""
    shown = {quote.ordinal: _shown(quote, user) for quote in composed.quotes}
    numbers = _nested_numbers({None: composed.quotes}, user)
    ignoring = ignored_by(user)
    frame = filling("posts/_quote.html")
    laid = {
        quote.ordinal: _around(frame, quote, shown[quote.ordinal], numbers, (), ignoring)
        for quote in composed.quotes
    }
    html = composed.html
    members = _members([html], ignoring)
    html = markup.lay_in(html, post_id=post_id, quotes=laid, notes={}, members=members)
    return mark_safe(html)


# --- Quotes in a post -------------------------------------------------------------------------


_quotes = CompiledQuery(
    "quotes_in",
    lambda revisions: (
        Quote.objects.filter(revision_id__in=revisions)
        .select_related("source_post__author", "source_post__thread__board")
        # What is shown of a source, and what its rights hang on.
        .only(
            *("post", "revision", "ordinal", "source_revision", "source_passage", "start", "end"),
            *("parts", "words", "verdict", "whole", "nested", "stance", "stands", "beside"),
            *("source_post__number", "source_post__state", "source_post__byline"),
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


def _quotes_in(posts: Iterable[Post]) -> dict[int, list[Quote]]:
    """The quotes of the current revisions, by revision, with their sources' authors and boards."""
    found = defaultdict(list)
    for quote in _quotes([post.body.revision_id for post in posts]):
        found[quote.revision_id].append(quote)
    return found


def _shown(quote: Quote, user) -> str:
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
    quotes = _quotes_in(posts)
    return {
        revision: [(quote, _shown(quote, user)) for quote in group]
        for revision, group in quotes.items()
    }


def _around(
    frame: Callable[[dict], str],
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
        {
            "quote": quote,
            "status": status,
            "word": STATUS[status],
            "source": known,
            "href": _passage_href(quote, here, status) if known and status != "removed" else "",
            "fold": quote.whole and words > FOLD_WORDS,
            "ignored": known is not None and known.author_id in ignoring,
            "word_count": words,
            "nested": [(pk, numbers[pk]) for pk in quote.nested if pk in numbers],
            "beside": quote.beside if status == quote.verdict else (),
            "compare": _compare_href(quote, status),
        }
    )
    opening, _, closing = html.strip().partition(WORDS)
    return opening, closing


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


def _nested_numbers(quotes: dict, user) -> dict[int, int]:
    """Numbers of the posts whose words were trimmed out of quotes, as far as `user` sees them."""
    wanted = {pk for group in quotes.values() for quote in group for pk in quote.nested}
    if not wanted:
        return {}
    return dict(posts_visible_to(user).filter(pk__in=wanted).values_list("pk", "number"))


def verdicts(posts: Sequence[Post], user) -> dict[int, list[Quote]]:
    """For each post the quotes of its current text, as the check judged them: each with `word` (the
    verdict, "unverifiable" for what `user` may not know of) and `of`, its source if that is known.
    One query; what `draw` shows besides is how the source stands by now."""
    revisions = {post.pk: post.body.revision_id for post in posts}
    found = _quotes_in(posts)
    for group in found.values():
        for quote in group:
            known = quote.source_post is not None and may(user, "see post", quote.source_post)
            quote.of = quote.source_post if known else None
            quote.word = quote.get_verdict_display() if known else STATUS["unverifiable"]
    return {pk: found.get(revision_id, []) for pk, revision_id in revisions.items()}


def names_every_source(post: Post, user) -> bool:
    """Whether pages name to `user` the source of each quote in every text that the post ever had,
    and of what stood quoted within it. Two queries."""
    quotes = list(Quote.objects.filter(post=post).select_related("source_post__thread__board"))
    nested = {pk for quote in quotes for pk in quote.nested}
    return all(_shown(quote, user) != "unverifiable" for quote in quotes) and (
        not nested or posts_visible_to(user).filter(pk__in=nested).count() == len(nested)
    )


# --- Quotes of a post -------------------------------------------------------------------------


_quoted_by = CompiledQuery(
    "quotes_of",
    lambda ids: (
        Quote.objects.filter(
            source_post_id__in=ids,
            revision_id=F("post__body__revision_id"),
            post__state=State.VISIBLE,
        )
        .select_related("post__thread__board")
        .only(
            *("source_post", "source_passage", "post__number", "post__thread__state"),
            *("post__thread__author", "post__thread__board__audience"),
        )
        .order_by("post_id")
    ),
    "numbers",
)


def _backlinks(posts: Iterable[Post], user, here: Container[int]) -> dict[int, dict[int, str]]:
    """For each post, the margin notes of its passages: who quotes them, as far as `user` sees."""
    by_id = {post.pk: post for post in posts}
    seen: dict[int, bool] = {}
    found: dict[int, dict[int, dict]] = defaultdict(lambda: defaultdict(dict))
    for quote in _quoted_by(list(by_id)):
        by = quote.post
        if by.thread_id not in seen:
            seen[by.thread_id] = may(user, "see thread", by.thread)
        if seen[by.thread_id]:
            # Once, however often it quotes the passage.
            found[quote.source_post_id][quote.source_passage][by.pk] = {
                "href": f"#post-{by.pk}" if by.pk in here else f"/posts/{by.pk}/",
                "number": by.number,
                "elsewhere": by.thread_id != by_id[quote.source_post_id].thread_id,
            }
    note = filling("posts/_note.html")
    return {
        source_id: {
            passage: note(
                {
                    "post": by_id[source_id],
                    "passage": passage,
                    "links": list(links.values())[:MAX_BACKLINKS],
                    "more": len(links) - MAX_BACKLINKS,
                }
            )
            for passage, links in passages.items()
        }
        for source_id, passages in found.items()
    }


_named = CompiledQuery(
    "members_named",
    lambda skeletons: User.objects.filter(
        Q(skeleton__in=skeletons) | Q(past_names__skeleton__in=skeletons), is_active=True
    ).values_list("pk", "username", "past_names__username"),
    "texts",
)


def _members(htmls: Iterable[str], ignoring: Container[int]) -> dict[str, str]:
    """The members mentioned on a page: lower-cased name to profile address. Those whom the reader
    ignores are plain text."""
    names = {name for html in htmls for name in MENTION.findall(html)}
    if not names:
        return {}
    rows = _named([skeleton(name) for name in names])
    return {
        name.lower(): f"/members/{username}/"
        for pk, username, past in rows
        for name in (past, username)
        if name and pk not in ignoring
    }
