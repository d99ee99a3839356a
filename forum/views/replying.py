"""Replying: the form, what it quotes, and what is sent with it."""

from functools import partial
from typing import Any
from uuid import uuid4

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from core.problems import Problem
from forum import rendering
from forum.actions import arguments, composing, drafts
from forum.actions.lately import written_lately
from forum.text import quoting

from ..actions import posts as acts
from ..models import Answer, Draft, Post, State, Thread
from ..models.visibility import posts_visible_to
from ..permissions import require
from . import poll_fields, problems
from .fetch import Moved, post_or_404, thread_or_404
from .poll_fields import PollFields
from .posts import where
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

MAX_QUOTED = 20  # posts that one link may open a reply with
LOOKED_AT = 100  # of a member's posts, for how they stood to a post the last time


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
    among the newest that they wrote; else the lane of that post."""
    wanted = thread.pk, parent.pk if parent else None, Post.Basis.REPLY
    # Asked for what answers no post, SQLite may go through all of the forum that answer none.
    newest = Post.objects.filter(author=user).order_by("-pk")[:LOOKED_AT]
    for *found, lane, stance in newest.values_list(
        "thread", "parent", "parent_basis", "lane", "stance"
    ):
        if tuple(found) == wanted:
            return {"lane": lane, "stance": stance}
    return {"lane": arguments.default_lane(thread, parent), "stance": ""}


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
        lately = written_lately(request.user)
        same = lately.same_reply(data["text"], thread, parent)
        if same is not None:
            done = Post.objects.select_related("thread").get(pk=same, author=request.user)
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
                lately=lately,
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
