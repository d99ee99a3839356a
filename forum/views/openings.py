"""What a debate is about: opening one, and saying where it leaves history."""

from uuid import uuid4

from django import forms
from django.shortcuts import redirect, render

from ..actions import composing, debate, drafts, pace
from ..actions import threads as acts
from ..history_dates import spoken
from ..models import Board, Post, Thread
from ..models.visibility import boards_visible_to
from ..permissions import may, require
from ..questions import questions_in
from .fetch import board_or_404, thread_or_404
from .posts import TokenField, posted, previewed, restored

START = "/threads/new/"
KINDS = {
    "WI": "What follows from a change?",
    "AHC": "Find a divergence that leads to a given outcome.",
    "PC": "Could it have happened?",
    "DBWI": "Told from inside the other timeline.",
    "TL": "A story, told in instalments.",
    "discussion": "Talk about history without a divergence.",
}


class ForkForm(forms.Form):
    """One divergence, read into `fork`; None where nothing was given."""

    change = forms.CharField(max_length=300, required=False)
    when = forms.CharField(max_length=100, required=False)
    place = forms.CharField(max_length=120, required=False)
    actor = forms.CharField(max_length=120, required=False)

    def clean(self):
        """What changes and when belong together."""
        data = super().clean()
        data["fork"] = None
        given = {name: data.get(name, "") for name in ("change", "when", "place", "actor")}
        if any(name in self.errors for name in given) or not any(given.values()):
            return data
        if not given["change"]:
            self.add_error("change", "Say what changes.")
        if not given["when"]:
            self.add_error("when", "Say when, as well as you know: c. 1924, 480 BC, 1936-39.")
        elif given["change"]:
            try:
                data["fork"] = debate.fork(**given)
            except composing.Unacceptable as error:
                self.add_error("when", str(error))
        return data


# --- /threads/new/ ----------------------------------------------------------------------------


class StartForm(ForkForm):
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
    token = TokenField()
    field_order = ("board", "title", "kind")  # as on the page; errors are listed in this order

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, auto_id="%s", **kwargs)
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
                if request.POST.get("do") == "draft":
                    drafts.save(
                        user=request.user,
                        token=data["token"],
                        target=START,
                        label=drafts.label_for(None),
                        text=data["text"],
                        title=data["title"],
                        **restored(request),
                    )
                    return redirect("drafts")
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
                        forks=[data["fork"]] if data["fork"] else [],
                    )
                    return posted(request, data["token"], done.get_absolute_url())
            except (composing.Unacceptable, drafts.NotKept) as error:
                form.add_error(None, str(error))
            except pace.TooFast as error:
                form.add_error(None, str(error))
                return _start_page(request, form, None, status=429)
    else:
        slug = request.GET.get("board")
        if slug:
            require(request.user, "start", board_or_404(request.user, slug))
        draft = drafts.newest(request.user, START)
        initial = {"board": slug, "token": uuid4(), "kind": "WI"}
        if draft:
            initial |= {"text": draft.text, "title": draft.title}
        form = StartForm(initial=initial, user=request.user)
        return _start_page(request, form, None, status=200, draft=draft)
    return _start_page(request, form, preview, status=422 if form.errors else 200)


def _start_page(request, form, preview, *, status, draft=None):
    kinds = [(value, label, KINDS[value]) for value, label in Thread.Kind.choices]
    return render(
        request,
        "threads/start.html",
        {"form": form, "kinds": kinds, "preview": preview, "draft": draft, "target": START},
        status=status,
    )


# --- /threads/<id>/describe/ -----------------------------------------------------------------


ForkForms = forms.formset_factory(
    ForkForm, max_num=debate.MAX_DIVERGENCES, absolute_max=debate.MAX_DIVERGENCES, validate_max=True
)
MISTAKEN = {
    "missing_management_form": "The form had lost its rows. Look it over and send it again.",
    "too_many_forms": f"A debate has at most {debate.MAX_DIVERGENCES} divergences.",
}


def describe(request, thread_id):
    """Say where a debate leaves history and which of its questions stand beside it."""
    thread = thread_or_404(request.user, thread_id)
    require(request.user, "describe", thread)
    kept = [one["text"] for one in thread.card.get("questions", ())]
    known = list(dict.fromkeys([*kept, *_proposed(request.user, thread)]))
    ticked = request.POST.getlist("question") if request.method == "POST" else kept
    errors = []
    if request.method == "POST":
        # Without `initial`: a row sent a second time differs from what stands there by nothing,
        # and an unchanged row would count as an empty one.
        rows = ForkForms(request.POST, error_messages=MISTAKEN)
        if rows.is_valid():
            forks = [row.cleaned_data["fork"] for row in rows if row.cleaned_data.get("fork")]
            try:
                return redirect(
                    debate.describe(
                        user=request.user,
                        thread=thread,
                        forks=forks,
                        questions=[text for text in known if text in ticked],
                        reason=_one_line(request.POST.get("reason", "")),
                    )
                )
            except composing.Unacceptable as error:
                errors.append(str(error))
        errors += rows.non_form_errors()
    else:
        rows = ForkForms(
            initial=[
                {
                    "change": one["change"],
                    "when": spoken(one["edtf"]),
                    "place": one["place"],
                    "actor": one["actor"],
                }
                for one in thread.card.get("divergences", ())
            ]
        )
    return render(
        request,
        "threads/describe.html",
        {
            "thread": thread,
            "rows": rows,
            "errors": errors,
            "reason": request.POST.get("reason", ""),
            "questions": [(text, text in ticked) for text in known],
        },
        status=422 if rows.is_bound else 200,
    )


def _proposed(user, thread: Thread) -> tuple[str, ...]:
    """The questions in the opening of a debate, unless its words are hidden from `user`."""
    opening = Post.objects.select_related("body__revision").opening_of(thread.pk).get()
    opening.thread = thread
    return questions_in(opening.body.revision.plain) if may(user, "see post", opening) else ()


def _one_line(text: str) -> str:
    """A reason as the log takes it."""
    return " ".join(text.replace("\0", "").split())[:300]
