"""Single posts: permalink, reply, edit, history, withdraw."""

from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from core.compiled_queries import CompiledQuery
from core.problems import Problem
from core.spellings import BLACK, blackened_as
from forum import rendering, tree
from forum.actions import arguments, composing, drafts, read_state
from forum.text import quoting

from ..actions import posts as acts
from ..models import Answer, Draft, Lane, Post, PostRevision, State, Thread
from ..models.visibility import posts_visible_to
from ..permissions import require
from . import poll_fields, problems
from .fetch import Moved, place_or_404, post_or_404, thread_or_404
from .poll_fields import PollFields
from .while_writing import quote_form
from .writing import (
    ArgumentForm,
    TokenField,
    asked_in,
    keep_draft,
    kept_in,
    posted,
    previewed,
    quotes_in,
    write_page,
)

PER_PAGE = 20  # posts on a page, for visitors
MAX_QUOTED = 20  # posts that one link may open a reply with


# --- /posts/<id>/ -----------------------------------------------------------------------------


def post(request: HttpRequest, post_id) -> HttpResponse:
    """The permalink: to the page of the debate where the post stands, and to its element."""
    found = place_or_404(request.user, post_id)
    if found.state == State.REJECTED:
        return redirect("history", found.pk)  # it stands nowhere; there its text is
    passage = request.GET.get("p", "")
    place = int(passage) if passage.isdecimal() and len(passage) < 6 else 0
    view = request.GET.get("view", "")
    if view not in ("", "flat", "tree"):
        raise Http404
    return redirect(where(request.user, found, passage=place, view=view))


def per_page(user) -> int:
    """How many posts a page holds for this reader."""
    return user.posts_per_page if user.is_authenticated else PER_PAGE


def where(user, post: Post, *, passage: int = 0, view: str = "") -> str:
    """The address of a post (or passage) on its page, in the reader's page size and in `view`
    ("flat" or "tree"; the reader's own if not given)."""
    size = per_page(user)
    usual = user.view if user.is_authenticated else "flat"
    view = view or usual
    if post.number is None:
        page = max(-(-post.thread.numbered // size), 1)
    elif view == "tree":
        page = tree.page_of(post, size)
    else:
        page = (post.number - 1) // size + 1
    query = {"view": view} if view != usual else {}
    if page > 1:
        query["page"] = page
    folded = post.thread.policy == Thread.Policy.GRANTED and post.lane == Lane.PREMISE
    if folded or (view == "tree" and user.is_authenticated and read_state.folds_over(user, post)):
        query["open"] = post.pk  # else it would lead to nothing
    place = f"-{passage}" if passage else ""
    asked = f"?{urlencode(query)}" if query else ""
    return f"{post.thread.get_absolute_url()}{asked}#post-{post.pk}{place}"


# --- /threads/<id>/reply/ ---------------------------------------------------------------------


class ReplyForm(PollFields, ArgumentForm):
    """A reply: its text, its poll, the post it answers, its place in the argument, the form's
    token."""

    text = forms.CharField(
        strip=False, widget=forms.Textarea, error_messages={"required": "Write your text."}
    )
    to = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    token = TokenField()


def reply_address(thread, parent: Post | None) -> str:
    """The address of the form that answers `parent` (or the debate); it names the form's drafts."""
    return f"/threads/{thread.pk}/reply/" + (f"?to={parent.pk}" if parent else "")


def reply(request: HttpRequest, thread_id: int) -> HttpResponse:
    """Answer a debate or one of its posts; `?to=` names the post, `?quote=12` or `?quote=12.3`
    (a passage; may be repeated) opens the form with those words; `?question=` asks first how
    the reply answers that question of the opening."""
    sent = request.POST if request.method == "POST" else request.GET
    parent = _answered(request, sent.get("to"))
    if parent is not None and parent.thread_id == thread_id:
        thread = parent.thread
    else:
        thread = thread_or_404(request.user, thread_id)
    require(request.user, "reply", thread)
    if parent is not None:
        require(request.user, "answer", parent)
    if parent is not None and parent.thread_id != thread.pk:
        if request.method != "POST":
            raise Moved(parent.thread)
        require(request.user, "reply", parent.thread)
    if request.method != "POST":
        return _reply_opened(request, thread, parent)
    return _reply_sent(request, thread, parent)


def _reply_opened(request: HttpRequest, thread: Thread, parent: Post | None) -> HttpResponse:
    """The form with the draft that waits for it and the words that were quoted just now."""
    draft = drafts.newest(request.user, reply_address(thread, parent))
    added = _quoted_words(request)
    text = _after(draft.text if draft else "", added)
    asked, named = _questions(request.user, thread, request.GET.get("question", ""))
    initial = _chosen_before(request.user, thread, parent)
    if named:
        initial[f"answer-{named['id']}"] = Answer.Verdict.AGREES
    initial |= kept_in(draft).dict()
    initial |= {"text": text, "to": parent.pk if parent else None, "token": uuid4()}
    form = ReplyForm(
        thread=thread, asked=asked, named=named, quotes=quotes_in(text), initial=initial
    )
    return _reply_page(request, form, thread, parent, draft=draft, added=added)


def _chosen_before(user, thread: Thread, parent: Post | None) -> dict[str, Any]:
    """Lane and stance with which a reply begins: those of the last one by `user` to the same post,
    else the lane of that post."""
    answers = Post.objects.filter(thread=thread, author=user, parent_basis=Post.Basis.REPLY)
    last = answers.filter(parent=parent).order_by("-pk").values("lane", "stance").first()
    return dict(last or {"lane": arguments.default_lane(thread, parent), "stance": ""})


def _reply_sent(request: HttpRequest, opened: Thread, parent: Post | None) -> HttpResponse:
    """What the form was sent for; `opened` is the debate in which it was opened."""
    # Sent without asking to where the answered post went, the text might find readers that it
    # was not meant for.
    thread = parent.thread if parent else opened
    asked, named = _questions(request.user, opened, request.POST.get("question", ""))
    form = ReplyForm(
        request.POST,
        thread=opened,
        asked=asked,
        named=named,
        quotes=quotes_in(request.POST.get("text", "")),
    )
    page = partial(_reply_page, request, form, thread, parent)
    if thread != opened:
        form.add_error(None, f"The post you answer is now in “{thread}”. Send it there?")
        return page(status=409)
    label = drafts.label_for(thread, parent)

    def post(data: dict) -> HttpResponse:
        done = said_last(request.user, data["text"], thread, parent)
        if done:
            drafts.discard(user=request.user, token=data["token"])
        else:
            done = acts.reply(
                user=request.user,
                thread=thread,
                parent=parent,
                source=data["text"],
                token=data["token"],
                lane=data["lane"],
                stance=data["stance"],
                quotes=form.stances(data["text"]),
                ties=form.ties(),
                poll=data["poll"],
                trapped=bool(request.POST.get("leave_empty")),
            )
        return posted(request, data["token"], where(request.user, done))

    return write_page(
        request,
        form,
        draft=lambda: keep_draft(request, target=reply_address(thread, parent), label=label),
        preview=lambda data: (
            previewed(request, data["text"], board=thread.board, thread=thread, parent=parent)
            + poll_fields.preview(data["poll"])
        ),
        post=post,
        page=page,
    )


def _questions(user, thread: Thread, named: str) -> tuple[list[dict], dict | None]:
    """The questions that a reply can answer, and the one of them that its form is opened for."""
    asked = asked_in(user, thread)
    return asked, next((one for one in asked if str(one["id"]) == named), None)


def _reply_page(
    request: HttpRequest,
    form: ReplyForm,
    thread: Thread,
    parent: Post | None,
    *,
    draft: Draft | None = None,
    added: str = "",
    preview: str | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    """The form below the post that it answers, which says what it says now."""
    if isinstance(problem, composing.ErasedQuoted):
        # The fields for its quotes told their words.
        form = ReplyForm(
            form.data,
            thread=form.thread,
            asked=form.asked,
            named=form.named,
            quotes=quotes_in(problem.text),
        )
        problems.show(form, problem, typed="text")
    answered = parent or _opening(thread)
    context = {
        "form": form,
        "thread": thread,
        "parent": parent,
        "answered": rendering.render_post(answered, user=request.user) if answered else None,
        "preview": preview,
        "draft": draft,
        "added": added,
        "back": f"/posts/{parent.pk}/" if parent else thread.get_absolute_url(),
        "target": reply_address(thread, parent),
    }
    return render(request, "posts/reply.html", context, status=status)


def _after(text: str, quotes: str) -> str:
    """A restored text with the words that were quoted just now below it, if they are not there."""
    if not text or quotes.strip() in text:
        return text or quotes
    return f"{text.rstrip()}\n\n{quotes}"


def _answered(request: HttpRequest, to: str | None) -> Post | None:
    """The post that the reply answers, if one is named; perhaps in another debate."""
    if not to:
        return None
    if not to.isdecimal() or len(to) > 18:
        raise Http404
    return post_or_404(request.user, int(to))


def _opening(thread: Thread) -> Post | None:
    """What a reply answers that names no post."""
    post = next(iter(Post.objects.for_reading().opening_of(thread.pk)), None)
    if post is not None:
        post.thread = thread
    return post


def _quoted_words(request: HttpRequest) -> str:
    """The quote forms for `?quote=`: the posts' own words, or one passage of them."""
    wanted = []
    for value in request.GET.getlist("quote")[:MAX_QUOTED]:
        pk, _, named = value.partition(".")
        if not (pk.isdecimal() and len(pk) < 19 and (not named or named.isdecimal())):
            raise Http404
        wanted.append((int(pk), int(named[:6]) if named else 0))
    posts = {
        post.pk: post
        for post in posts_visible_to(request.user)
        .filter(pk__in=[post_id for post_id, _ in wanted], state=State.VISIBLE)
        .select_related("author", "body__revision")
    }
    texts = []
    for post_id, passage in wanted:
        if post_id not in posts:
            continue
        revision = posts[post_id].body.revision
        start, end = 0, len(revision.plain)
        if 0 < passage <= len(revision.passages):
            start, end = revision.passages[passage - 1]
        if revision.plain[start:end].strip():
            whole = quoting.Match("exact", revision.pk, start, end, ((start, end),))
            texts.append(quote_form(posts[post_id], whole) or "")
    return "".join(texts)


_last_of = CompiledQuery(
    "last_post_of_member",
    lambda user: (
        Post.objects.select_related("body__revision", "thread")
        .filter(author=user)
        .order_by("-pk")[:1]
    ),
    "number",
)


def said_last(user, source: str, thread: Thread, parent: Post | None) -> Post | None:
    """The member's newest post, if it is this very reply. A form that the back button fetched anew
    has another token, so the token cannot tell that it is sent a second time."""
    last = next(iter(_last_of(user.pk)), None)
    answered = None if parent is None or parent.is_opening else parent.pk
    if last is None or last.is_opening or last.state not in (State.VISIBLE, State.PENDING):
        return None
    same = (last.thread_id, last.parent_id, last.body.revision.source)
    return last if same == (thread.pk, answered, source) else None


# --- /posts/<id>/edit/ ------------------------------------------------------------------------


class EditForm(forms.Form):
    """A new text; `base` tells which one the form was opened with (`posts.base_of`)."""

    text = forms.CharField(
        strip=False, widget=forms.Textarea, error_messages={"required": "Write your text."}
    )
    reason = forms.CharField(max_length=300, required=False)
    base = forms.CharField(max_length=40, widget=forms.HiddenInput)
    token = forms.UUIDField(required=False, initial=uuid4, widget=forms.HiddenInput)


def edit(request: HttpRequest, post_id: int) -> HttpResponse:
    """Change one's own post. If it was saved elsewhere meanwhile, both texts are shown."""
    post = post_or_404(request.user, post_id)
    require(request.user, "edit", post)
    if request.method != "POST":
        return _edit_opened(request, post)
    form = EditForm(_as_erased(request, post.body.revision))
    label = drafts.label_for(post.thread, post, edit=True)

    def preview(data: dict) -> str:
        return previewed(
            request,
            data["text"],
            board=post.thread.board,
            thread=post.thread,
            parent=acts.answered_by(post),
            earlier=post.body.revision,
        )

    def save(data: dict) -> HttpResponse:
        acts.edit(
            user=request.user,
            post=post,
            source=data["text"],
            reason=data["reason"],
            base=data["base"],
        )
        drafts.discard(user=request.user, token=data["token"])
        return posted(request, data["token"], where(request.user, post))

    return write_page(
        request,
        form,
        draft=lambda: keep_draft(request, target=f"/posts/{post.pk}/edit/", label=label),
        preview=preview,
        post=save,
        page=partial(_edit_page, request, form, post),
    )


def _edit_opened(request: HttpRequest, post: Post) -> HttpResponse:
    """The form with the text as it is, or the draft that waits for it."""
    draft = drafts.newest(request.user, f"/posts/{post.pk}/edit/")
    revision = post.body.revision
    form = EditForm(
        initial={
            # The revision that the draft was begun with: if another one was saved since, that
            # is said before it is overwritten.
            "base": acts.base_of(revision),
            **kept_in(draft).dict(),
            "text": draft.text if draft else revision.source,
            "token": uuid4(),
        }
    )
    return _edit_page(request, form, post, draft=draft)


def _edit_page(
    request: HttpRequest,
    form: EditForm,
    post: Post,
    *,
    draft: Draft | None = None,
    preview: str | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    """The form; with both texts, where another was saved meanwhile."""
    conflict = None
    if isinstance(problem, acts.EditedMeanwhile):
        sent = _as_erased(request, problem.current)
        conflict = {
            "revision": problem.current,
            "difference": quoting.difference(sent["text"], problem.current.source),
            "erased": BLACK in problem.current.source,
        }
        form = EditForm({**sent, "base": acts.base_of(problem.current)})
    context = {
        "form": form,
        "post": post,
        "as_it_is": rendering.render_post(post, user=request.user),
        "preview": preview,
        "conflict": conflict,
        "draft": draft,
        "target": f"/posts/{post.pk}/edit/",
    }
    return render(request, "posts/edit.html", context, status=status)


def _as_erased(request: HttpRequest, current: PostRevision) -> dict[str, str]:
    """What the form sent, without the words that were erased from the post since it was opened."""
    sent = request.POST.dict()
    if not acts.opened_with(sent.get("base", ""), current):
        sent["text"] = blackened_as(sent.get("text", ""), current.source)
    return sent


# --- /posts/<id>/release/ ---------------------------------------------------------------------


@require_POST
def release(request: HttpRequest, post_id) -> HttpResponse:
    """Let one's own reply appear that slow mode held."""
    done = acts.release(user=request.user, post=post_or_404(request.user, post_id))
    read_state.mark_read(
        user=request.user, thread=done.thread, numbers=[(done.number or 0, done.number or 0)]
    )
    return redirect(where(request.user, done))


# --- /posts/<id>/withdraw/ --------------------------------------------------------------------


class WithdrawForm(forms.Form):
    reason = forms.CharField(max_length=300, required=False)


def withdraw(request: HttpRequest, post_id) -> HttpResponse:
    """Take one's own post back: a page that asks, a form that does."""
    post = post_or_404(request.user, post_id)
    require(request.user, "withdraw", post)
    form = WithdrawForm(request.POST) if request.method == "POST" else WithdrawForm()
    if form.is_valid():
        done = acts.withdraw(user=request.user, post=post, reason=form.cleaned_data["reason"])
        return redirect(where(request.user, done))
    entry = rendering.render_post(post, user=request.user)
    return render(
        request,
        "posts/withdraw.html",
        {"post": post, "entry": entry, "form": form},
        status=422 if form.errors else 200,
    )
