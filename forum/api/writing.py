"""What is written: replies, edits, debates, drafts, through the acts that the pages call."""

from typing import Annotated
from uuid import NAMESPACE_URL, UUID, uuid5

from django.http import Http404, HttpRequest
from ninja import Header, Status

from core.problems import Problem
from forum.actions.divergences import read_divergence
from forum.rendering.posts import render_preview
from forum.text import markup
from forum.text.questions import open_questions

from ..actions import drafts, threads
from ..actions import posts as acts
from ..actions.arguments import Tie
from ..models import Board, Draft, Post
from ..permissions import NotThere, require
from ..views.drafts import label_of
from ..views.fetch import Moved, board_or_404, post_or_404, thread_or_404
from ..views.writing import looked_over
from . import rows, shapes
from . import sent as bodies
from .asking import writer
from .service import service

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Any text of yours, another for each text that is sent. Sent again with the "
        "same, what was written is given back and nothing is written twice.",
    ),
]


def _token(user, key: str) -> UUID:
    """The token of the form that a key stands for: nobody else's key means the same."""
    return uuid5(NAMESPACE_URL, f"jonbar:api:{user.pk}:{key}")


def _written(user, post: Post) -> Status[shapes.PostShape]:
    post = post_or_404(user, post.pk)
    return Status(201, rows.posts([post], user=user)[0])


@service.post(
    "threads/{int:thread_id}/posts/", response={201: shapes.PostShape}, url_name="api-posts"
)
def reply(request: HttpRequest, thread_id: int, sent: bodies.ReplySent, key: Key):
    """Answer a debate, or one of its posts."""
    user = writer(request)
    thread = thread_or_404(user, thread_id)
    post = acts.reply(
        user=user,
        thread=thread,
        source=sent.text,
        token=_token(user, key),
        parent=_answered(user, sent.to, thread.pk),
        lane=sent.lane,
        stance=sent.stance,
        quotes=sent.quotes,
        ties=[Tie(one.question, one.verdict, one.passage) for one in sent.answers],
    )
    return _written(user, post)


@service.post("preview/", response=shapes.PreviewShape, url_name="api-preview")
def preview(request: HttpRequest, sent: bodies.PreviewSent):
    """Draw a text as it would be shown, and judge its quotes. Nothing is kept."""
    user = writer(request)
    thread = parent = None
    if sent.thread is not None:
        thread = thread_or_404(user, sent.thread)
        require(user, "reply", thread)
        parent = _answered(user, sent.to, thread.pk)
        board = thread.board
    elif sent.board:
        require(user, "write")
        board = _board_called(user, sent.board)
    else:
        raise Problem("Say for which debate the text is, or for which board.", field="thread")
    composed = looked_over(request, sent.text, board=board, thread=thread, parent=parent)
    html = render_preview(composed, user=user)
    return shapes.PreviewShape(
        html=str(html),
        plain=composed.rendered.plain,
        quotes=[rows.preview_quote(one, user) for one in composed.quotes],
    )


def _answered(user, pk: int | None, thread_id: int) -> Post | None:
    """The post that a reply names. Raises Problem where it is not in that debate."""
    if pk is None:
        return None
    try:
        post = post_or_404(user, pk)
    except Moved as moved:
        post = post_or_404(user, moved.thing.pk)
    except (Http404, NotThere):
        raise Problem("The post that you answer is not there.", field="to") from None
    if post.thread_id != thread_id:
        raise Problem("The post that you answer is in another debate.", status=409, field="to")
    return post


@service.post(
    "posts/{int:post_id}/revisions/",
    response={201: shapes.PostShape, 409: shapes.Conflict},
    url_name="api-revisions",
)
def edit(request: HttpRequest, post_id: int, sent: bodies.EditSent):
    """Give one's own post another text. Sent again, the same text changes nothing."""
    user = writer(request)
    post = post_or_404(user, post_id)
    acts.edit(user=user, post=post, source=sent.text, reason=sent.reason, base=sent.base)
    return _written(user, post)


@service.post("threads/", response={201: shapes.PostShape}, url_name="api-threads")
def start(request: HttpRequest, sent: bodies.ThreadSent, key: Key):
    """Open a debate; gives its opening."""
    user = writer(request)
    board = _board_called(user, sent.board)
    _asked_in(sent)
    thread = threads.start(
        user=user,
        board=board,
        title=sent.title,
        kind=sent.kind,
        source=sent.text,
        token=_token(user, key),
        divergences=[
            read_divergence(change=one.change, when=one.when, actor=one.actor, place=one.place)
            for one in sent.divergences
        ],
        questions=sent.questions,
        policy=sent.policy,
        own_answer=sent.own_answer,
    )
    (opening,) = Post.objects.opening_of(thread.pk)
    return _written(user, opening)


def _board_called(user, slug: str) -> Board:
    try:
        return board_or_404(user, slug)
    except (Http404, NotThere):
        raise Problem("You see no board with this slug.", field="board") from None


def _asked_in(sent: bodies.ThreadSent) -> None:
    """Raise Problem for a question that the text does not ask."""
    if not sent.questions:
        return
    try:
        text = markup.render(sent.text, format="markdown")
    except markup.MarkupError:
        return  # the composer says what is wrong with it
    spans = [(one.start, one.end) for one in text.passages]
    asked = open_questions(text.html, plain=text.plain, passages=spans)
    if not set(sent.questions) <= set(asked):
        sentence = "A question stands in the text too, to the letter and not under a spoiler."
        raise Problem(sentence, field="questions")


@service.reads("drafts/", response=shapes.Drafts, url_name="api-drafts")
def kept_drafts(request: HttpRequest):
    """One's drafts, newest first."""
    user = writer(request)
    require(user, "use account")
    mine = Draft.objects.filter(user=user).order_by("-saved_at")
    return shapes.Drafts(drafts=[_draft(one) for one in mine])


@service.post("drafts/", response={201: shapes.DraftShape}, url_name="api-drafts")
def keep_draft(request: HttpRequest, sent: bodies.DraftSent, key: Key):
    """Keep a text; kept again under the same key it takes the place of the one before. What is
    sent at last under this key takes its draft away."""
    user = writer(request)
    require(user, "use account")
    try:
        label = label_of(user, sent.target)
    except (Http404, NotThere):
        raise Problem("You have no form at this address.", field="target") from None
    draft = drafts.save(
        user=user,
        token=_token(user, key),
        target=sent.target,
        label=label,
        text=sent.text,
        title=sent.title,
    )
    return Status(201, _draft(draft))


@service.post("drafts/{uuid:token}/discard/", response={204: None}, url_name="api-discard-draft")
def discard_draft(request: HttpRequest, token: UUID):
    """Throw a draft away. Doing so twice does it once."""
    user = writer(request)
    require(user, "use account")
    drafts.discard(user=user, token=token)
    return Status(204, None)


def _draft(draft: Draft) -> shapes.DraftShape:
    return shapes.DraftShape(
        token=draft.token,
        target=draft.target,
        label=draft.label,
        title=draft.title,
        text=draft.text,
        saved_at=draft.saved_at,
    )
