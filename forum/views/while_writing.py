"""What a form asks the server for while somebody writes in it (static/js/write.js, quote.js): the
quote form of words that were chosen in a post, whom or what "@mem" or "#1" may mean, and places
that begin as typed (places.js)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts.models import User
from forum.text import markup, quoting
from forum.text.places import beginning

from ..jinja import fragment_renderer
from ..models import Post, State, Thread
from ..models.visibility import posts_visible_to
from ..operations import limits
from ..permissions import require
from .fetch import member_of, post_or_404, sent_id, thread_or_404

MOST = 8  # names, numbers or places that are offered at a time
LONGEST_PLACE = 120  # letters, as the fields for it take
RECENT = 100  # posts of the debate whose writers are offered before anybody else
TOO_OFTEN = "That was a lot within a minute. Type on; it is offered again in a moment."


@csrf_exempt  # a visitor's page holds no token, since it is the same for all; this reads only
def words(request: HttpRequest, post_id) -> HttpResponse:
    """The quote form of the `words` that were sent, as the post's own text has them, marks and all;
    of all of it where none were. Words that do not stand there are quoted as they came. Raises
    limits.TooOften."""
    limits.count("words", limits.network_of(request), settings.OFFERS_PER_MINUTE, TOO_OFTEN)
    post = post_or_404(request.user, post_id)
    chosen = request.POST.get("words", "")[: markup.MAX_SOURCE].replace("\0", "")
    revision = post.body.revision
    match = quoting.Match("exact", revision.pk, 0, len(revision.plain), ((0, len(revision.plain)),))
    if chosen.strip():
        texts = [revision.plain]
        if revision.format == revision.Format.PLAIN:
            # What is selected on the page has no heads of list items.
            texts.append(markup.without_heads(revision.plain))
        sources = [quoting.Source(revision.pk, text) for text in texts]
        match = quoting.find(chosen, sources, named=len(sources), budget=quoting.Budget())
    text = quote_form(post, match)
    if text is None:
        text = markup.attribution_source(post.writer, post.pk, chosen)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def quote_form(post: Post, match: quoting.Match) -> str | None:
    """The quote form for words of a post, with its strikes, spoilers and emphasis, and "[…]" where
    it quotes somebody else between them; None unless they stand there."""
    revision = post.body.revision
    if match.verdict not in ("exact", "shortened"):
        return None
    parts = quoting.over_quotes(match, revision.passages).parts
    if revision.format == revision.Format.PLAIN:
        # It has no marks, and the heads of its list items (". ") stand in its words alone: without
        # them a quote of a list would be no exact one.
        own = "\n\n[…]\n\n".join(revision.plain[start:end].strip() for start, end in parts)
        return markup.attribution_source(post.writer, post.pk, own)
    html = markup.excerpt(
        post.body.html, plain=revision.plain, passages=revision.passages, parts=parts
    )
    if html is None:
        plain = revision.plain[match.start : match.end]
        return markup.attribution_source(post.writer, post.pk, plain)
    return markup.marked_attribution_source(post.writer, post.pk, html)


def names(request: HttpRequest) -> HttpResponse:
    """What `begun`, "@mem" or "#1", may mean, for the debate `in` or for none: members whose name
    begins so, those who wrote in the debate of late first, or posts of it. For members; raises
    limits.TooOften."""
    require(request.user, "use account")
    user = member_of(request)
    limits.count("names", str(user.pk), settings.OFFERS_PER_MINUTE, TOO_OFTEN)
    thread_id = sent_id(request.GET.get("in", ""))
    thread = thread_or_404(user, thread_id) if thread_id else None
    sign, begun = request.GET.get("begun", "")[:1], request.GET.get("begun", "")[1:]
    found: list[tuple[str, str]] = []
    if sign == "@":
        found = [(f"@{name}", "") for name in _names(user, thread, begun)]
    elif sign == "#" and thread is not None and len(begun) < 7 and f"0{begun}".isdecimal():
        found = [(f"#{post.number}", post.writer) for post in _numbered(user, thread, begun)]
    return HttpResponse(fragment_renderer("posts/_names.html")({"found": found}))


def _names(user: User, thread: Thread | None, begun: str) -> list[str]:
    """Names that begin so, in order: of recent writers of the debate, then of all members."""
    here: set[str] = set()
    if thread is not None:
        recent = posts_visible_to(user).filter(
            thread=thread,
            number__gt=thread.numbered - RECENT,
            state=State.VISIBLE,
            author__is_active=True,
        )
        written = recent.values_list("author__username", flat=True).distinct().order_by()
        here = {name for name in written if name.lower().startswith(begun.lower())}
    shaped = User.objects.shaped_like(begun).filter(is_active=True)
    known = [*sorted(here, key=str.lower), *shaped.values_list("username", flat=True)[: MOST + 1]]
    return [name for name in dict.fromkeys(known) if name != user.username][:MOST]


def _numbered(user: User, thread: Thread, begun: str) -> list[Post]:
    """Posts of the debate whose number begins so; the newest for none."""
    posts = posts_visible_to(user).filter(thread=thread, state=State.VISIBLE)
    posts = posts.select_related("author")
    if not begun:
        return list(posts.filter(number__isnull=False).order_by("-number")[:MOST])
    beginning = int(begun)
    wanted = [beginning, *range(10 * beginning, 10 * beginning + 10)]
    return list(posts.filter(number__in=wanted).order_by("number")[:MOST])


def places(request: HttpRequest) -> HttpResponse:
    """Places of the gazetteer whose name begins as `begun`, the largest first, as options of a
    field. For members; raises limits.TooOften."""
    require(request.user, "use account")
    user = member_of(request)
    limits.count("places", str(user.pk), settings.OFFERS_PER_MINUTE, TOO_OFTEN)
    found = beginning(request.GET.get("begun", "")[:LONGEST_PLACE], MOST)
    return HttpResponse(fragment_renderer("threads/_places.html")({"found": found}))
