"""What the form for a new debate takes: title, board, opening, and where it leaves history."""

from collections.abc import Sequence
from typing import cast

from django import forms
from django.http import QueryDict

from core.problems import Unacceptable
from forum.actions import description
from forum.actions.divergences import AmbiguousPlace, DivergenceInput, read_divergence
from forum.text import places
from forum.text.places import NOWHERE

from ..actions import threads as acts
from ..models import Board, Thread
from ..models.visibility import boards_visible_to
from ..permissions import may
from .poll_fields import PollFields
from .writing import TokenField

DIVERGENCE_FIELDS = ("change", "when", "place", "actor", "spot", "found")


class DivergenceForm(forms.Form):
    """One divergence, read into `divergence`; None where nothing was given."""

    change = forms.CharField(max_length=300, required=False)
    when = forms.CharField(max_length=100, required=False)
    place = forms.CharField(max_length=120, required=False)
    actor = forms.CharField(max_length=120, required=False)
    spot = forms.CharField(max_length=60, required=False)
    # One of the places that a name may mean, chosen where the form asked which.
    found = forms.CharField(max_length=60, required=False)
    candidates: Sequence[places.Found] = ()

    @property
    def divergence(self) -> DivergenceInput | None:
        """What a form that was sent was read as; None before, and where nothing was given."""
        return getattr(self, "cleaned_data", {}).get("divergence")

    def clean(self):
        """What changes and when belong together; a name that means several places is asked for."""
        super().clean()
        data = self.cleaned_data
        data["divergence"] = None
        given = {name: data.get(name, "") for name in DIVERGENCE_FIELDS}
        chosen = given.pop("found")
        if any(name in self.errors for name in given) or not any(given.values()):
            return data
        self.candidates = places.find(given["place"])
        if not given["spot"] and chosen in (*(str(one.spot) for one in self.candidates), NOWHERE):
            given["spot"] = chosen  # of this very name: another may have been typed since
        if not given["change"]:
            self.add_error("change", "Say what changes.")
        if not given["when"]:
            self.add_error("when", "Say when, as well as you know: c. 1924, 480 BC, 1936-39.")
        elif given["change"]:
            try:
                data["divergence"] = read_divergence(**given)
            except AmbiguousPlace as error:
                self.add_error("place", error.sentence)
            except Unacceptable as error:
                self.add_error(error.field or "when", error.sentence)
        return data


class StartForm(PollFields, DivergenceForm):
    """What a new debate needs. Further divergences stand in rows of their own (`more-0-change`)."""

    board = forms.ModelChoiceField(Board.objects.none(), to_field_name="slug", empty_label=None)
    title = forms.CharField(
        max_length=acts.MAX_TITLE,
        error_messages={"required": "Give the debate a title."},
    )
    kind = forms.ChoiceField(choices=Thread.Kind.choices, initial=Thread.Kind.WI)
    policy = forms.ChoiceField(choices=Thread.Policy.choices, required=False)
    text = forms.CharField(
        strip=False, widget=forms.Textarea, error_messages={"required": "Write the opening."}
    )
    own_answer = forms.CharField(
        max_length=description.MAX_OWN_ANSWER, required=False, widget=forms.Textarea
    )
    token = TokenField()
    # As on the page; errors are listed in this order.
    field_order = ("board", "title", "kind", *DIVERGENCE_FIELDS, "policy", "text", "own_answer")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **{**kwargs, "auto_id": "%s"})
        boards = [b.pk for b in boards_visible_to(user) if may(user, "start", b)]
        cast(forms.ModelChoiceField, self.fields["board"]).queryset = Board.objects.filter(
            pk__in=boards
        ).in_order()


MISTAKEN = {
    "missing_management_form": "The form had lost its rows. Look it over and send it again.",
    "too_many_forms": f"A debate has at most {description.MAX_DIVERGENCES} divergences.",
}
MoreDivergences = forms.formset_factory(
    DivergenceForm,
    extra=0,
    max_num=description.MAX_DIVERGENCES - 1,
    absolute_max=description.MAX_DIVERGENCES,
)


def as_typed(sent: QueryDict, user, *, more: bool = False) -> tuple[StartForm, forms.BaseFormSet]:
    """The forms with what was typed in them, not checked; `more`: with room for one more
    divergence."""
    typed = {name: sent[name] for name in StartForm.base_fields if name in sent}
    total = _count(sent)
    rows = [
        {name: sent.get(f"more-{n}-{name}", "") for name in DIVERGENCE_FIELDS} for n in range(total)
    ]
    if more and total < description.MAX_DIVERGENCES - 1:
        rows.append(dict.fromkeys(DIVERGENCE_FIELDS, ""))
    return StartForm(initial=typed, user=user), MoreDivergences(initial=rows, prefix="more")


def further_divergences(sent: QueryDict) -> forms.BaseFormSet:
    """The further divergences of a form that was sent; one that names none has none."""
    counted = sent.copy()
    counted["more-TOTAL_FORMS"], counted["more-INITIAL_FORMS"] = str(_count(sent)), "0"
    return MoreDivergences(counted, prefix="more", error_messages=MISTAKEN)


def _count(sent: QueryDict) -> int:
    total = sent.get("more-TOTAL_FORMS", "")
    known = total.isdecimal() and len(total) < 4
    return min(int(total), description.MAX_DIVERGENCES) if known else 0
