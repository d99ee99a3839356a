"""What the forms that write have in common: tokens, drafts, previews, the place of a reply."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC
from typing import cast
from uuid import UUID, uuid4

from allauth.core import ratelimit
from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.problems import Problem
from forum import rendering
from forum.text import markup

from ..actions import composing, drafts, pace
from ..actions.arguments import Tie
from ..jinja import fragment_renderer
from ..models import Answer, Draft, Lane, Stance, Thread
from ..permissions import may
from . import pictures, problems
from .settled import settle

# What a draft keeps in columns of its own, and what belongs to one sending only.
NOT_IN_FIELDS = pictures.FIELDS | frozenset(
    "text title token target to do csrfmiddlewaretoken restored restored_at sent_by_itself".split()
)
NO_STANCE = ("", "none of these")


class TokenField(forms.UUIDField):
    """The form's token. Where it is missing or broken the form comes back with a new one, since
    without one the text could never be sent."""

    widget = forms.HiddenInput
    default_error_messages = {
        "required": "Something was missing in the form. Look it over and send it again.",
        "invalid": "Something was missing in the form. Look it over and send it again.",
    }

    def bound_data(self, data, initial):
        try:
            return self.clean(data)
        except forms.ValidationError:
            return uuid4()


# --- Drafts -----------------------------------------------------------------------------------


def restored(request: HttpRequest) -> dict:
    """The draft that the form was opened with, and when it had been saved: `restored` (its token)
    and `restored_at`, None where the form does not say."""
    token, moment = None, None
    with suppress(ValueError):
        token = UUID(request.POST.get("restored", ""))
    with suppress(ValueError, OverflowError):
        if at := parse_datetime(request.POST.get("restored_at", "")):
            moment = timezone.make_aware(at) if timezone.is_naive(at) else at.astimezone(UTC)
    return {"restored": token, "restored_at": moment}


def other_fields(sent: QueryDict) -> dict[str, list[str]]:
    """All that a form holds besides its text and title, for its draft: nothing typed is lost, and
    nothing chosen either."""
    return {name: values for name, values in sent.lists() if name not in NOT_IN_FIELDS}


def write_page(
    request: HttpRequest,
    form: forms.BaseForm,
    *,
    draft: Callable[[], HttpResponse],
    preview: Callable[[dict], str],
    post: Callable[[dict], HttpResponse],
    page: Callable[..., HttpResponse],
) -> HttpResponse:
    """Do with a text what its form was sent for: add a picture, keep a draft, show how it will
    look, or post it. Whatever goes wrong comes back as the form's page, with all that was typed.

    `draft`, `preview` and `post` do these, the last two out of the data of a valid form; each may
    raise Problem. `page` draws the form, out of `preview` (HTML or None), `problem` (what was
    raised, or None) and `status`.
    """
    wanted, shown, met, status = request.POST.get("do"), None, None, 200
    if pictures.asked_for(request):
        return page(preview=None, problem=None, status=pictures.add_to(request, form))
    if wanted == "look":
        return looked_at(form, preview)
    try:
        if wanted == "draft":
            return draft()
        if form.is_valid() and wanted == "preview":
            shown = preview(form.cleaned_data)
        elif form.is_valid():
            return post(form.cleaned_data)
    except Problem as problem:
        if isinstance(problem, composing.ErasedQuoted):
            sent = cast(QueryDict, form.data).copy()
            sent["text"] = problem.text
            form.data = sent
        met, status = problem, problems.show(form, problem, typed="text")
    if form.errors and status == 200:
        status = Problem.status
    return page(preview=shown, problem=met, status=status)


def looked_at(form: forms.BaseForm, preview: Callable[[dict], str]) -> HttpResponse:
    """What the page's script shows beside a text while it is written: the preview alone, or the
    sentence that says why there is none; nothing (204) where text or board are missing."""
    form.is_valid()
    if not {"text", "board"} & form.fields.keys() <= form.cleaned_data.keys():
        return HttpResponse(status=204)
    try:
        context = {"preview": preview(form.cleaned_data), "why_not": ""}
    except Problem as problem:
        context = {"preview": "", "why_not": problem.sentence}
    return HttpResponse(fragment_renderer("posts/_preview.html")(context))


def keep_draft(request: HttpRequest, *, target: str, label: str) -> HttpResponse:
    """Keep what the form holds, be it complete or not, and lead to the list of drafts. Raises
    actions.drafts.NotKept."""
    token = uuid4()
    with suppress(ValueError):
        token = UUID(request.POST.get("token", ""))
    drafts.save(
        user=request.user,
        token=token,
        target=target,
        label=label,
        text=request.POST.get("text", ""),
        title=request.POST.get("title", ""),
        fields=other_fields(request.POST),
        **restored(request),
    )
    return redirect("drafts")


def kept_in(draft: Draft | None) -> QueryDict:
    """What a draft holds besides its text and title, as a form sends it."""
    sent = QueryDict(mutable=True)
    for name, values in (draft.fields if draft else {}).items():
        sent.setlist(name, values)
    return sent


def posted(request: HttpRequest, token, address: str) -> HttpResponse:
    """Lead to what was posted. The draft that the form was opened with goes, and the browser's copy
    of the text (`settle`)."""
    before = restored(request)
    if before["restored"] and before["restored_at"]:
        drafts.discard(user=request.user, token=before["restored"], saved_by=before["restored_at"])
    return settle(request, redirect(address), *filter(None, (before["restored"], token)))


def looked_over(request: HttpRequest, source: str, **place) -> composing.Composed:
    """An unsent text for a `place` (composing.compose); raises what that raises, and TooFast."""
    if not ratelimit.consume(request, action="preview", user=request.user):
        raise pace.TooFast("That was a lot of previews. Wait a minute and try again.")
    return composing.compose(user=request.user, source=source, **place)


def previewed(
    request: HttpRequest, source: str, *, board, thread=None, parent=None, earlier=None
) -> str:
    """The HTML of a text that is not posted; raises what `looked_over` raises."""
    composed = looked_over(
        request, source, board=board, thread=thread, parent=parent, earlier=earlier
    )
    html = rendering.render_preview(composed, user=request.user)
    if thread is None:
        return html
    open_to_choice = composing.also_in(
        composed,
        user=request.user,
        thread=thread,
        besides=earlier.post_id if earlier else None,
    )
    return fragment_renderer("posts/_also.html")({"quotes": open_to_choice}) + html


# --- A reply's place in the argument ------------------------------------------------------------


class ArgumentForm(forms.Form):
    """What a reply is to the debate: its lane, its stance (and one for each quote, where there are
    several), and the questions of the opening that it answers; `named` is the one that the form
    was opened for, if any.

    `quotes` are (key, words) pairs; a quote is known by its words, since its place among the
    others changes while somebody writes.
    """

    lane = forms.ChoiceField(choices=Lane.choices, required=False)
    stance = forms.ChoiceField(choices=[NO_STANCE, *Stance.choices], required=False)

    def __init__(self, *args, thread: Thread, asked=(), named=None, quotes=(), **kwargs) -> None:
        super().__init__(*args, **{**kwargs, "auto_id": "%s"})
        self.thread, self.asked, self.named, self.quotes = thread, asked, named, quotes
        for one in asked:
            self.fields[f"answer-{one['id']}"] = forms.ChoiceField(
                choices=[("", "does not answer it"), *Answer.Verdict.choices], required=False
            )
            self.fields[f"passage-{one['id']}"] = forms.IntegerField(
                required=False,
                min_value=1,
                max_value=9999,
                error_messages=dict.fromkeys(
                    ("invalid", "min_value", "max_value"),
                    "Give the number of a passage, or leave it empty for the whole post.",
                ),
            )
        for key, _ in quotes:
            self.fields[f"quote-{key}"] = forms.ChoiceField(
                choices=[NO_STANCE, *Stance.choices], required=False
            )

    @property
    def named_row(self) -> tuple[str, forms.BoundField, forms.BoundField] | None:
        """For the page: the words of the question that the form was opened for, the field of the
        answer, that of the passage."""
        return self._row(self.named) if self.named else None

    @property
    def answer_rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """For the page: words, answer and passage (see `named_row`) of each other question."""
        return [self._row(one) for one in self.asked if one is not self.named]

    @property
    def answers_any(self) -> bool:
        """Whether some other question is answered, or a field about it is wrong."""
        return any(row[1].value() or row[2].errors for row in self.answer_rows)

    @property
    def towards_quotes(self) -> bool:
        """Whether a stance to some quote is chosen."""
        return any(field.value() for _, field in self.quote_rows)

    def _row(self, one: dict) -> tuple[str, forms.BoundField, forms.BoundField]:
        return one["text"], self[f"answer-{one['id']}"], self[f"passage-{one['id']}"]

    @property
    def quote_rows(self) -> list[tuple[str, forms.BoundField]]:
        """For the page: a quote's words and its field."""
        return [(words, self[f"quote-{key}"]) for key, words in self.quotes]

    def ties(self) -> list[Tie]:
        """The answers that were chosen, of a valid form."""
        data = self.cleaned_data
        return [
            Tie(one["id"], verdict, data.get(f"passage-{one['id']}") or 0)
            for one in self.asked
            if (verdict := data.get(f"answer-{one['id']}"))
        ]

    def stances(self, text: str) -> dict[int, str]:
        """The stances to the quotes of `text`, by their order in it, of a valid form."""
        if not self.quotes:
            return {}
        data = self.cleaned_data
        return {
            block.ordinal: data[name]
            for block in _quote_blocks(text)
            if (name := f"quote-{quote_key(block.words)}") in data
        }


def quote_key(words: str) -> str:
    """What a quote is called in a form: the same words, the same field."""
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def quotes_in(text: str) -> list[tuple[str, str]]:
    """The quotes of a text for its form, (key, words) each; none unless there are several, since
    the stance of the whole is that to a single one."""
    found = {quote_key(block.words): block.words for block in _quote_blocks(text)}
    return list(found.items()) if len(found) > 1 else []


def _quote_blocks(text: str) -> list[markup.QuoteBlock]:
    if "quote" not in text:
        return []
    try:
        blocks = markup.render(text, format="markdown").quotes
    except markup.MarkupError:
        return []  # the composer says what is wrong with it
    # A plain ">" claims no source; what nobody said takes no stance.
    return [block for block in blocks if block.syntax != "blockquote"]


def asked_in(user, thread: Thread) -> list[dict]:
    """The questions of a debate that a reply can answer: of a hidden opening, none."""
    asked = thread.card.get("questions", [])
    return asked if asked and may(user, "see opening", thread) else []
