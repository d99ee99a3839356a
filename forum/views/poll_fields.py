"""The poll in the forms that write: one choice on each line, so that they need no script."""

from typing import Any

from django import forms
from django.utils.safestring import SafeString, mark_safe

from forum.jinja import fragment_renderer
from forum.rendering import polls as rendering

from ..actions import polls
from ..actions.composing import Unacceptable
from ..models import Poll

KINDS = [
    ("", "one choice"),
    (Poll.Kind.SEVERAL.value, "up to so many choices"),
    (Poll.Kind.APPROVED.value, "every choice that one approves of"),
]
BALLOTS = [
    ("", "secret: nobody sees who chose what"),
    ("open", "open: who sees the results sees who chose what"),
]
# As browsers send a field for day and time, and as people type one where theirs has none.
MOMENTS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
TYPED = ("poll_question", "poll_choices", "poll_most", "poll_closes")


class PollFields(forms.Form):
    """A poll, read into `cleaned_data["poll"]` (actions.polls.Asked); None where nothing of it was
    typed. Comes before the form that it is mixed into."""

    poll_question = forms.CharField(required=False)
    poll_choices = forms.CharField(required=False, widget=forms.Textarea)
    poll_kind = forms.ChoiceField(choices=KINDS, required=False)
    poll_most = forms.IntegerField(
        required=False, error_messages={"invalid": "Give a number of choices."}
    )
    poll_closes = forms.DateTimeField(
        required=False,
        input_formats=MOMENTS,
        error_messages={"invalid": "Give day and time, as 2031-05-03 14:00."},
    )
    poll_ballot = forms.ChoiceField(choices=BALLOTS, required=False)

    @property
    def asks_poll(self) -> bool:
        """For the page: whether something of a poll is typed, or wrong."""
        return any(self[name].value() or self[name].errors for name in TYPED)

    def clean(self) -> dict[str, Any]:
        """The fields as a poll that can be stored."""
        super().clean()
        data = self.cleaned_data
        data["poll"] = None
        wrong = any(name.startswith("poll_") for name in self.errors)
        if wrong or not any(data.get(name) for name in TYPED):
            return data
        asked = polls.Asked(
            question=data["poll_question"],
            choices=data["poll_choices"].splitlines(),
            kind=data["poll_kind"] or Poll.Kind.ONE,
            most=data["poll_most"] or 0,
            is_open=data["poll_ballot"] == "open",
            closes_at=data["poll_closes"],
        )
        try:
            data["poll"] = polls.check(asked)
        except Unacceptable as problem:
            self.add_error(problem.field, problem.sentence)
        return data


def preview(asked: polls.Asked | None) -> SafeString:
    """The HTML of a poll that is not posted; empty where there is none."""
    if asked is None:
        return mark_safe("")
    shown = rendering.preview(asked.question, asked.choices, asked.most, asked.is_open)
    html = fragment_renderer("posts/_poll.html")({"shown": shown, "closes_at": asked.closes_at})
    return mark_safe(html)
