"""What a form was opened with. While it stands open its texts may be changed, or words of them
erased for good; sent then, it would bring the old ones back. So a form says as `base` the sum of
the texts that it shows, and whoever writes them compares that under the lock of their row.
"""

import hashlib
import json
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar, cast

from django import forms
from django.http import QueryDict

from .problems import Problem
from .spellings import BLACK, blackened_as

SHOWN = 300  # characters of a text that a conflict shows beside a field
Field = TypeVar("Field", bound=Hashable)
_BETWEEN = "\x1e"  # stands in no text that anybody types


class ChangedMeanwhile(Problem):
    """The texts that a form shows were changed since it was opened; `stored` are they by now."""

    status = 409

    def __init__(self, stored: Iterable[str]) -> None:
        self.stored = tuple(stored)
        erased = any(BLACK in text for text in self.stored)
        super().__init__(
            "Words of it were erased for a legal reason. What you typed stands below without them: "
            "look it over, then save again."
            if erased
            else "It was changed since you opened this form. What you typed stands below: take "
            "over what you want to keep of the other, then save again."
        )


def base_of(stored: Iterable[str]) -> str:
    """The sum of these texts, as a form says with which it was opened."""
    return hashlib.sha256(json.dumps(list(stored)).encode()).hexdigest()[:16]


def opened_with(base: str, stored: Iterable[str]) -> bool:
    """Whether a form that says `base` was opened with these texts. One that says nothing is older
    than sums: of a text with black letters, nobody knows."""
    stored = list(stored)
    return base == base_of(stored) if base else not any(BLACK in text for text in stored)


def check_base(base: str | None, stored: Iterable[str]) -> None:
    """Raise ChangedMeanwhile unless a form that says `base` was opened with these texts, which were
    read under their lock. None is no form."""
    stored = list(stored)
    if base is not None and not opened_with(base, stored):
        raise ChangedMeanwhile(stored)


def as_erased(typed: Mapping[Field, str], stored: Iterable[str]) -> dict[Field, str]:
    """What somebody typed into the fields of a form, without what is black in these texts by now,
    in whichever field it stands."""
    clean = {name: text.replace(_BETWEEN, "") for name, text in typed.items()}
    joined = blackened_as(_BETWEEN.join(clean.values()), _BETWEEN.join(stored))
    return dict(zip(clean, joined.split(_BETWEEN), strict=True))


class BaseField(forms.CharField):
    """The hidden field `base`. It is no change of anything."""

    widget = forms.HiddenInput

    def __init__(self, **kwargs) -> None:
        super().__init__(**{"max_length": 40, "required": False, **kwargs})

    def has_changed(self, initial, data) -> bool:
        return False


class OpenedForm(forms.ModelForm):
    """A form that changes texts of a row: `texts` names those that words may be erased from,
    `made_of_them` what is made of these. It is cleaned and saved in one transaction, until whose
    end the row stays locked. Where the texts are not those that the form was opened with, it is not
    valid, and shows what was typed without what was erased."""

    base = BaseField()
    texts: tuple[str, ...] = ()
    made_of_them: tuple[str, ...] = ()

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            shown = [getattr(self.instance, name) for name in self._shown()]
            self.initial["base"] = base_of(shown)

    def clean(self):
        super().clean()
        if self.instance.pk and self._shown():
            rows = type(self.instance)._base_manager.select_for_update(no_key=True)
            stored = rows.filter(pk=self.instance.pk).values(*self._shown()).first()
            if stored and not opened_with(self.cleaned_data.get("base", ""), stored.values()):
                self._show_conflict(stored)
        return self.cleaned_data

    def _shown(self) -> list[str]:
        return [name for name in (*self.texts, *self.made_of_them) if name in self.fields]

    def _show_conflict(self, stored: Mapping[str, str]) -> None:
        problem = ChangedMeanwhile(stored.values())
        typed = {name: self.data.get(self.add_prefix(name), "") for name in stored}
        if any(self.cleaned_data.get(name) != text for name, text in stored.items()):
            self.add_error(None, problem.sentence)
        shown = as_erased(typed, stored.values())
        if any(BLACK in text for text in stored.values()):
            shown |= {name: stored[name] for name in self.made_of_them if name in stored}
        sent = cast(QueryDict, self.data).copy()
        self.data = sent
        for name, text in shown.items():
            self.cleaned_data.pop(name, None)
            setattr(self.instance, name, stored[name])  # the page names the row
            sent[self.add_prefix(name)] = text
            if text != stored[name]:
                now = stored[name][:SHOWN] + "…" * (len(stored[name]) > SHOWN)
                self.add_error(name, f"By now it reads: “{now}”")
        sent[self.add_prefix("base")] = base_of(stored.values())
