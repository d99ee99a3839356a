"""A debate: read flat or as a tree, opened, renamed, closed."""

from math import ceil
from uuid import uuid4

from django import forms
from django.http import Http404, HttpResponsePermanentRedirect
from django.shortcuts import redirect, render

from .. import drawing, tree
from ..actions import composing, pace, reading
from ..actions import threads as acts
from ..models import Board, Post, State, Thread
from ..models.visibility import boards_visible_to, posts_visible_to
from ..permissions import may, require, verbs
from .fetch import board_or_404, page_or_404, thread_or_404
from .posts import ReplyForm, previewed

PER_PAGE = 20
VIEWS = ("flat", "tree")
KINDS = {
    "WI": "What follows from a change?",
    "AHC": "Find a divergence that leads to a given outcome.",
    "PC": "Could it have happened?",
    "DBWI": "Told from inside the other timeline.",
    "TL": "A story, told in instalments.",
    "discussion": "Talk about history without a divergence.",
}


def per_page(user) -> int:
    return user.posts_per_page if user.is_authenticated else PER_PAGE


def thread(request, thread_id, slug=""):
    """One page of a debate."""
    thread = thread_or_404(request.user, thread_id)
    if request.path != thread.get_absolute_url():
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return HttpResponsePermanentRedirect(thread.get_absolute_url() + query)
    user = request.user
    view = request.GET.get("view") or (user.view if user.is_authenticated else "flat")
    if view not in VIEWS:
        raise Http404
    size = per_page(user)
    pages = max(ceil(thread.numbered / size), 1)
    page = page_or_404(request, pages)
    seen = reading.read_ranges(user, thread) if user.is_authenticated else None
    context = _tree(thread, page, size) if view == "tree" else _flat(thread, page, size)
    posts = context["posts"]
    for post in posts:
        post.thread = thread
        post.fresh = seen is not None and not reading.contains(seen, post.number, post.number)
    waiting = _waiting(user, thread) if page == pages else []
    drawing.draw([*posts, *waiting], user=user)
    if seen is not None and not request.headers.get("Sec-Purpose"):
        _mark(user, thread, view, posts, seen)
    first = next((post for post in posts if post.fresh), None)
    may_reply = may(user, "reply", thread)
    return render(
        request,
        "threads/thread.html",
        {
            "thread": thread,
            "verbs": verbs(user, thread),
            "view": view,
            "page": page,
            "pages": pages,
            "pager": pager(page, pages),
            "waiting": waiting,
            "first_fresh": first,
            "fresh_count": sum(post.fresh for post in posts),
            "unread": thread.numbered - sum(b - a + 1 for a, b in seen) if seen is not None else 0,
            "form": ReplyForm(initial={"token": uuid4()}) if may_reply and page == pages else None,
            **context,
        },
    )


def _flat(thread: Thread, page: int, size: int) -> dict:
    first = (page - 1) * size + 1
    posts = list(Post.objects.for_reading().filter(thread=thread).numbered(first, page * size))
    for post in posts:  # one line through all of them; it ends at the last
        post.line_up, post.line_down = post.number > 1, post.number < thread.numbered
    return {"posts": posts, "first": first, "last": first + len(posts) - 1}


def _tree(thread: Thread, page: int, size: int) -> dict:
    cut = tree.page(thread, page, size)
    rows = Post.objects.for_reading().in_bulk([*cut.ids, *cut.continues])
    posts = [rows[pk] for pk in cut.ids]
    for post in posts:
        post.place = cut.places[post.pk]
    first = (page - 1) * size + 1
    return {
        "posts": posts,
        "continues": [rows[pk] for pk in cut.continues],
        "first": first,
        "last": first + len(posts) - 1,
    }


def _waiting(user, thread: Thread) -> list[Post]:
    """Posts that wait for approval, for those who may read them; asked only of members."""
    if not user.is_authenticated:
        return []
    posts = list(
        posts_visible_to(user).filter(thread=thread, state=State.PENDING).for_reading()[:50]
    )
    for post in posts:
        post.thread, post.fresh = thread, False
    return posts


def _mark(user, thread, view, posts, seen) -> None:
    """Write down what was read, if anything on the page was new."""
    fresh = [post.number for post in posts if post.fresh]
    if not fresh:
        return
    if view == "flat":
        reading.mark_read(user=user, thread=thread, numbers=[(posts[0].number, posts[-1].number)])
    else:
        reading.mark_read(user=user, thread=thread, numbers=[(n, n) for n in fresh])


def pager(page: int, pages: int) -> list[int | None]:
    """The page numbers to offer: the ends, the neighbours, None for a gap."""
    wanted = sorted({1, 2, page - 1, page, page + 1, pages - 1, pages} & set(range(1, pages + 1)))
    out: list[int | None] = []
    for number in wanted:
        if out and number - (out[-1] or 0) == 2:
            out.append(number - 1)
        elif out and number - (out[-1] or 0) > 2:
            out.append(None)
        out.append(number)
    return out


# --- /threads/new/ ----------------------------------------------------------------------------


class StartForm(forms.Form):
    """What a new debate needs."""

    board = forms.ModelChoiceField(Board.objects.none(), to_field_name="slug", empty_label=None)
    title = forms.CharField(
        max_length=acts.MAX_TITLE,
        error_messages={"required": "Give the debate a title."},
    )
    kind = forms.ChoiceField(choices=Thread.Kind.choices, initial=Thread.Kind.WI)
    text = forms.CharField(
        strip=False, widget=forms.Textarea, error_messages={"required": "Write the opening."}
    )
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        boards = [b.pk for b in boards_visible_to(user) if may(user, "start", b)]
        self.fields["board"].queryset = Board.objects.filter(pk__in=boards).in_order()


def start(request):
    """Open a debate."""
    require(request.user, "write")
    preview = None
    if request.method == "POST":
        form = StartForm(request.POST, user=request.user)
        if form.is_valid():
            data = form.cleaned_data
            try:
                if request.POST.get("do") == "preview":
                    preview = previewed(request, data["text"], board=data["board"])
                else:
                    done = acts.start(
                        user=request.user,
                        board=data["board"],
                        title=data["title"],
                        kind=data["kind"],
                        source=data["text"],
                        token=data["token"],
                    )
                    return redirect(done)
            except composing.Unacceptable as error:
                form.add_error(None, str(error))
            except pace.TooFast as error:
                form.add_error(None, str(error))
                return _start_page(request, form, None, status=429)
    else:
        slug = request.GET.get("board")
        if slug:
            require(request.user, "start", board_or_404(request.user, slug))
        form = StartForm(initial={"board": slug, "token": uuid4(), "kind": "WI"}, user=request.user)
    return _start_page(request, form, preview, status=422 if form.errors else 200)


def _start_page(request, form, preview, *, status):
    kinds = [(value, label, KINDS[value]) for value, label in Thread.Kind.choices]
    return render(
        request,
        "threads/start.html",
        {"form": form, "kinds": kinds, "preview": preview},
        status=status,
    )


# --- /threads/<id>/rename/ and close/ ---------------------------------------------------------


class RenameForm(forms.Form):
    title = forms.CharField(
        max_length=acts.MAX_TITLE, error_messages={"required": "Give the debate a title."}
    )
    reason = forms.CharField(max_length=300, required=False)


def rename(request, thread_id):
    """Give a debate another title."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "rename", thread)
    form = RenameForm(request.POST or None, initial={"title": thread.title})
    if request.method == "POST" and form.is_valid():
        try:
            return redirect(acts.rename(user=request.user, thread=thread, **form.cleaned_data))
        except composing.Unacceptable as error:
            form.add_error("title", str(error))
    return render(
        request,
        "threads/rename.html",
        {"form": form, "thread": thread},
        status=422 if form.errors else 200,
    )


def close(request, thread_id):
    """Close one's own debate to answers, or open it again: a page that asks, a form that does."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "close", thread)
    if request.method == "POST":
        closed = request.POST.get("do") == "close"
        return redirect(acts.close(user=request.user, thread=thread, closed=closed))
    return render(request, "threads/close.html", {"thread": thread})
