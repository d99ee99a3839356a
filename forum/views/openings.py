"""Opening a debate: where it leaves history, what it asks, and what is like it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import cast
from uuid import uuid4

from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from core.problems import Problem
from forum.actions import description, drafts
from forum.search import similarity
from forum.text import markup
from forum.text.questions import open_questions

from ..actions import threads as acts
from ..models import Draft, Post, State, Thread
from ..permissions import require
from . import pictures, poll_fields
from .fetch import board_or_404, thread_named
from .opening_forms import StartForm, as_typed, further_divergences
from .writing import keep_draft, kept_in, posted, previewed, write_page

START = "/threads/new/"
KINDS = {
    "WI": "What follows from a change?",
    "AHC": "Find a divergence that leads to a given outcome.",
    "PC": "Could it have happened?",
    "DBWI": "Told from inside the other timeline.",
    "TL": "A story, told in instalments.",
    "discussion": "Talk about history without a divergence.",
}
MOST_LOOKED = 50  # debates that a form remembers to have shown
LOST = (
    "The debate that yours is a variant of is not there any more. Send the form again, and yours "
    "opens on its own."
)


def start(request: HttpRequest) -> HttpResponse:
    """Open a debate. Questions found in the opening are put to its author, who ticks those that
    stand beside the debate, and so are debates like it: with the preview, or before it opens, if
    they were not shown yet."""
    user = request.user
    require(user, "write")
    if request.method != "POST":
        return _first_page(request)
    wanted = request.POST.get("do")
    variant, lost = _variant_of(user, request.POST)
    if wanted == "more" or pictures.asked_for(request):
        return _extended(request, variant)
    form, rows = StartForm(request.POST, user=user), further_divergences(request.POST)
    asked, offered = _asked(request.POST)
    page = partial(_start_page, request, form, rows, asked=asked, variant=variant)
    if wanted not in ("draft", "look") and not (form.is_valid() and rows.is_valid()):
        return page(status=422)
    similar = None
    if wanted in ("preview", "similar"):
        similar = _already_argued(user, _given(form.cleaned_data, rows, asked))
    if wanted == "similar":
        return page(similar=similar)
    return write_page(
        request,
        form,
        draft=lambda: keep_draft(request, target=START, label=drafts.label_for(None)),
        preview=lambda data: (
            previewed(request, data["text"], board=data["board"])
            + poll_fields.preview(data["poll"])
        ),
        post=lambda data: _open(
            request, form, _given(data, rows, asked), variant, lost, offered=offered, page=page
        ),
        page=partial(page, similar=similar),
    )


def _extended(request: HttpRequest, variant: Thread | None) -> HttpResponse:
    """The form as it was typed, with room for one more divergence or with a picture in its text."""
    sent, status = request.POST.copy(), 200
    more = sent.get("do") == "more"
    if not more:
        sent["text"], status = pictures.with_picture(request)
    typed = as_typed(sent, request.user, more=more)
    return _start_page(request, *typed, variant=variant, status=status)


def _open(
    request: HttpRequest,
    form: StartForm,
    given: dict,
    variant: Thread | None,
    lost: bool,
    *,
    offered: Sequence,
    page: Callable[..., HttpResponse],
) -> HttpResponse:
    """Open the debate of a valid form, out of what is `given`; or the form again, where its board
    asks for more, or where questions (`offered`) or debates like it were not shown to its author
    yet. Raises Problem."""
    user = request.user
    if _lacking(form, user, given, offered, lost=lost):
        return page(status=Problem.status)
    new = None if variant else _not_looked_at(request.POST, _already_argued(user, given))
    # Asked after that: what a first press just opened is not shown to the second.
    done = _opened_last(user, form.cleaned_data)
    if not done and (offered or new):
        return page(confirm=True, similar=new)
    done = done or acts.start(
        user=user,
        source=form.cleaned_data["text"],
        variant_of=variant,
        trapped=bool(request.POST.get("leave_empty")),
        **given,
    )
    return posted(request, given["token"], done.get_absolute_url())


def _lacking(form: StartForm, user, given: Mapping, proposed: Sequence, *, lost: bool) -> bool:
    """Whether the debate lacks what its board asks for, each lack being said on the form;
    `proposed` are questions that its author has not seen yet; `lost`: the chosen variant is gone.
    Raises Unacceptable."""
    absent = description.missing(
        user=user,
        board=given["board"],
        kind=given["kind"],
        divergences=given["divergences"],
        questions=given["questions"] or proposed,
        policy=given["policy"],
        answer=description.check_own_answer(given["own_answer"]),
    )
    for field, sentence in absent.items():
        form.add_error(field if field in form.fields else None, sentence)
    if lost:
        form.add_error(None, LOST)
    return bool(form.errors)


def _first_page(request: HttpRequest) -> HttpResponse:
    slug = request.GET.get("board")
    board = board_or_404(request.user, slug) if slug else None
    if board:
        require(request.user, "start", board)
    draft = drafts.newest(request.user, START)
    sent = kept_in(draft)
    if draft:
        sent.update({"text": draft.text, "title": draft.title})
    form, rows = as_typed(sent, request.user)
    form.initial = {"board": slug, "token": uuid4(), "kind": Thread.Kind.WI, **form.initial}
    if "policy" not in form.initial and not any(
        one.policy_needed
        for one in cast(forms.ModelChoiceField, form.fields["board"]).queryset or ()
    ):
        form.initial["policy"] = Thread.Policy.OPEN
    asked, _ = _asked(sent) if draft else ((), ())
    variant, _ = _variant_of(request.user, sent)
    return _start_page(request, form, rows, asked=asked, draft=draft, variant=variant)


def _asked(sent: QueryDict) -> tuple[list[tuple[str, bool]], Sequence]:
    """The questions in the opening that was typed, each with whether it is ticked, and the same
    again if some were never shown to their author, else none. What is new is ticked, as far as a
    card has room."""
    shown, ticked = set(sent.getlist("proposed")), set(sent.getlist("question"))
    try:
        rendered = markup.render(sent.get("text", ""), format="markdown")
    except markup.MarkupError:
        return [], ()  # the composer says what is wrong with it
    found = open_questions(
        rendered.html,
        plain=rendered.plain,
        passages=[(p.start, p.end) for p in rendered.passages],
    )
    room = description.MAX_QUESTIONS - len(ticked & set(found))
    asked = []
    for text in found:
        chosen = text in ticked if text in shown else room > 0
        room -= chosen and text not in shown
        asked.append((text, chosen))
    return asked, () if shown.issuperset(found) else asked


def _given(data: Mapping, rows: forms.BaseFormSet, asked: list[tuple[str, bool]]) -> dict:
    """What the action takes, out of forms that are valid."""
    divergences = [data["divergence"], *(row.cleaned_data.get("divergence") for row in rows)]
    return {
        "board": data["board"],
        "title": data["title"],
        "kind": data["kind"],
        "policy": data["policy"],
        "own_answer": data["own_answer"],
        "poll": data["poll"],
        "token": data["token"],
        "divergences": [divergence for divergence in divergences if divergence],
        "questions": [text for text, ticked in asked if ticked],
    }


def _already_argued(user, given: Mapping) -> list[similarity.Similar]:
    """The debates that the one in the form may repeat."""
    return similarity.already_argued(
        user,
        spans=[
            (divergence.date.first, divergence.date.last) for divergence in given["divergences"]
        ],
        words=similarity.words_by_role(given["title"], given["divergences"]),
    )


def _not_looked_at(
    sent: QueryDict, similar: list[similarity.Similar]
) -> list[similarity.Similar] | None:
    """The debates like this one, if some of them were not shown to its author yet."""
    looked = set(sent.get("looked", "").split())
    return similar if any(str(one.thread.pk) not in looked for one in similar) else None


def _looked(sent: QueryDict, similar: list[similarity.Similar] | None) -> str:
    """The debates that were shown to the author of this one, for the form: a few ids."""
    before = [pk for pk in sent.get("looked", "").split() if pk.isdecimal() and len(pk) < 19]
    shown = [str(one.thread.pk) for one in similar or ()]
    return " ".join(list(dict.fromkeys([*shown, *before]))[:MOST_LOOKED])


def _variant_of(user, sent: QueryDict) -> tuple[Thread | None, bool]:
    """The debate that was chosen as the one of which this is another version, and whether one was
    chosen that the member does not see there."""
    chosen = sent.get("variant_of", "")
    thread = thread_named(user, chosen)
    thread = thread if thread is not None and thread.state == State.VISIBLE else None
    return thread, bool(chosen and thread is None)


def _opened_last(user, data: Mapping) -> Thread | None:
    """The debate that the member opened last, if it is this very one: a form that the back button
    fetched anew has another token, so the token cannot tell that it is sent a second time."""
    last = user.threads.order_by("-pk").first()
    if last is None or (last.board_id, last.title) != (
        data["board"].pk,
        " ".join(data["title"].split()),
    ):
        return None
    opening = Post.objects.select_related("body__revision").opening_of(last.pk).first()
    if opening is None or opening.body.revision_number != 1:
        return None
    return last if opening.body.revision.source == data["text"] else None


def _start_page(
    request: HttpRequest,
    form: StartForm,
    rows: forms.BaseFormSet,
    *,
    asked: Sequence[tuple[str, bool]] = (),
    preview: str | None = None,
    confirm: bool = False,
    problem: Problem | None = None,
    status: int = 200,
    draft: Draft | None = None,
    similar: list[similarity.Similar] | None = None,
    variant: Thread | None = None,
) -> HttpResponse:
    """The form, with all that was typed in it and what was found beside it."""
    kinds = [(value, label, KINDS[value]) for value, label in Thread.Kind.choices]
    return render(
        request,
        "threads/start.html",
        {
            "form": form,
            "rows": rows,
            "room": len(rows.forms) < description.MAX_DIVERGENCES - 1,
            "kinds": kinds,
            "asked": asked,
            "preview": preview,
            "confirm": confirm,
            "similar": similar or [],
            "compared": similar is not None,
            "looked": _looked(request.POST, similar),
            "variant": variant,
            "variant_alone": variant and variant.pk not in {one.thread.pk for one in similar or ()},
            "draft": draft,
            "target": START,
        },
        status=status,
    )
