"""What is new, for feed readers: Atom (RFC 4287), as anybody may read it without an account.

A feed knows no session: whoever fetches it, members too, gets what visitors see, so that nothing
of an invited board stands in a file that a service somewhere keeps. Members' own are in own_feeds.
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import condition

from accounts.models import User
from forum import rendering
from forum.rendering import polls
from forum.search import finding
from forum.search.asking import understand
from forum.search.grammar import parse
from forum.text.markup import without_spoilers
from forum.text.xml import fit

from ..models import Divergence, Post, State, Thread, Threadmark
from ..models.posts import PostQuerySet
from ..models.visibility import openings_visible_to, posts_visible_to, threads_visible_to
from .fetch import board_or_404, post_or_404, thread_or_404

ENTRIES = 30
VISITOR = AnonymousUser()


class Feed(Atom1Feed):
    """Atom, whatever signs stand in its words: one post must not take a feed from everybody."""

    def __init__(self, **fields) -> None:
        super().__init__(**_fit(fields))

    def add_item(self, **fields) -> None:  # type: ignore[override]  # it hands on what it is given
        super().add_item(**_fit(fields))


def _fit(fields: dict) -> dict:
    return {name: fit(one) if isinstance(one, str) else one for name, one in fields.items()}


def forum(request: HttpRequest) -> HttpResponse:
    """The debates opened last, in all boards."""
    openings = opening_posts(threads_visible_to(VISITOR))
    return write_feed(request, settings.SITE_NAME, reverse("home"), openings, titled=True)


def board(request: HttpRequest, slug: str) -> HttpResponse:
    """The debates opened last in one board."""
    board = board_or_404(VISITOR, slug)
    openings = opening_posts(threads_visible_to(VISITOR).filter(board=board))
    return write_feed(request, board.name, board.get_absolute_url(), openings, titled=True)


def timeline(request: HttpRequest) -> HttpResponse:
    """The debates opened last that say when they leave history."""
    dated = Divergence.objects.values("thread")
    openings = opening_posts(openings_visible_to(VISITOR).filter(pk__in=dated))
    title = f"Timeline of {settings.SITE_NAME}"
    return write_feed(request, title, reverse("timeline"), openings, titled=True)


def _version(request: HttpRequest, thread_id: int) -> str | None:
    """What a debate's feeds are the same under: its version and the site version."""
    thread = thread_or_404(VISITOR, thread_id)
    return f'"{thread.version}-{thread.site_version}"'


@condition(etag_func=_version)
def thread(request: HttpRequest, thread_id: int) -> HttpResponse:
    """The newest posts of a debate."""
    thread = thread_or_404(VISITOR, thread_id)
    posts = _visible_posts(thread).order_by("-number")
    return write_feed(request, thread.title, thread.get_absolute_url(), posts)


@condition(etag_func=_version)
def story(request: HttpRequest, thread_id: int) -> HttpResponse:
    """The newest marked posts of a debate: the parts of its story."""
    thread = thread_or_404(VISITOR, thread_id)
    marked = Threadmark.objects.filter(thread=thread).values("post")
    posts = _visible_posts(thread).filter(pk__in=marked).order_by("-number")
    title = f"{thread.title}: the story"
    return write_feed(request, title, reverse("read", args=[thread.pk]), posts)


def branch(request: HttpRequest, post_id: int) -> HttpResponse:
    """A post and the newest of what hangs below it."""
    post = post_or_404(VISITOR, post_id)
    if post.number is None:
        raise Http404
    below = _visible_posts(post.thread).filter(
        tree_id=post.tree_id, lft__gte=post.lft, rght__lte=post.rght
    )
    title = f"{post.thread.title}: the branch of #{post.number}"
    return write_feed(request, title, post.get_absolute_url(), below.order_by("-number"))


def member(request: HttpRequest, username: str) -> HttpResponse:
    """What a member wrote last."""
    author = User.objects.named(username).filter(is_active=True).first()
    if author is None:
        raise Http404
    posts = posts_visible_to(VISITOR).filter(author=author, state=State.VISIBLE).order_by("-pk")
    address = reverse("member", args=[author.username])
    return write_feed(request, f"Posts by {author.username}", address, posts, titled=True)


def search(request: HttpRequest) -> HttpResponse:
    """The newest posts that a visitor finds by the words of `q`. What is not understood has no
    feed."""
    query = parse(request.GET.get("q", ""), today=timezone.localdate())
    if query.empty or query.errors:
        raise Http404
    found = finding.posts(understand(query, VISITOR))
    posts = posts_visible_to(VISITOR).filter(pk__in=found.ids, state=State.VISIBLE)
    order = Coalesce("written_at", "loaded_at").desc()
    address = f"{reverse('search')}?{urlencode({'q': query.text})}"
    title = f"Search: {query.text}"
    return write_feed(request, title, address, posts.order_by(order, "-pk"), titled=True)


def opening_posts(threads: QuerySet[Thread], user=VISITOR) -> PostQuerySet:
    """The openings of the newest of `threads`, as far as they stand and `user` may read them."""
    newest = threads.order_by("-created_at", "-pk").values_list("pk", flat=True)[:ENTRIES]
    openings = posts_visible_to(user).filter(
        thread__in=list(newest), number=1, parent_basis=Post.Basis.OPENING, state=State.VISIBLE
    )
    return openings.order_by("-thread__created_at", "-thread_id")


def _visible_posts(thread: Thread) -> PostQuerySet:
    """The posts of a debate that a visitor reads."""
    return posts_visible_to(VISITOR).filter(
        thread=thread, number__isnull=False, state=State.VISIBLE
    )


def write_feed(
    request: HttpRequest,
    title: str,
    address: str,
    posts: PostQuerySet,
    *,
    titled: bool = False,
    user=VISITOR,
    guid: str = "",
) -> HttpResponse:
    """The feed of this title about the page at `address`, of the first of `posts`, as `user` reads
    them. Where it is `titled`, an entry is called after its debate, else after its number and its
    writer. `guid` names the feed where its address must not."""
    base = base_of(request)
    rows = list(posts.for_reading().select_related("author", "body", "thread__board")[:ENTRIES])
    feed = Feed(
        title=title,
        link=base + address,
        description=None,
        language="en",
        feed_url=base + request.get_full_path(),
        feed_guid=f"{base}/{quote(guid)}" if guid else base + request.get_full_path(),
    )
    for post, html in _rendered(rows, user):
        name = post.writer
        feed.add_item(
            title=post.thread.title if titled else f"#{post.number} by {name}",
            link=f"{base}/posts/{post.pk}/",
            unique_id=f"{base}/posts/{post.pk}/",
            description=html.replace('href="/', f'href="{base}/'),
            author_name=name,
            pubdate=post.loaded_at,
            updateddate=_changed(post),
        )
    answer = HttpResponse(content_type=feed.content_type)
    feed.write(answer, "utf-8")
    return answer


def base_of(request: HttpRequest) -> str:
    """The site's address, without a slash at its end."""
    return settings.SITE_URL or f"{request.scheme}://{request.get_host()}"


def _rendered(posts: list[Post], user) -> Iterable[tuple[Post, str]]:
    """Each post with its text as `user` reads it."""
    asked = polls.plain(posts)
    for entry in rendering.render_posts(posts, user=user):
        if entry.html is not None:
            # A feed reader has no style sheet of ours and would show what is folded away.
            yield entry.post, without_spoilers(entry.html) + asked.get(entry.post.pk, "")


def _changed(post: Post) -> datetime:
    """When a post got the words that it has."""
    return post.body.edited_at or post.loaded_at
