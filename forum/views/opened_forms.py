"""Forms of pages whose texts may be erased while they stand open (core.opened_texts)."""

from collections.abc import Iterable, Sequence
from typing import TypeVar, cast

from django import forms
from django.http import QueryDict

from core.opened_texts import ChangedMeanwhile, as_erased, base_of, opened_with

Sent = TypeVar("Sent", bound=forms.Form)


def without_erased(sent: QueryDict, stored: Sequence[str], names: Iterable[str]) -> QueryDict:
    """What a form sent, its fields `names` without words that were erased from the `stored` texts
    since it was opened."""
    if opened_with(sent.get("base", ""), stored):
        return sent
    typed = {name: str(sent[name]) for name in names if name in sent}
    sent = sent.copy()
    for name, text in as_erased(typed, stored).items():
        sent[name] = text
    return sent


def conflict(form: Sent, problem: ChangedMeanwhile, names: Iterable[str]) -> Sent:
    """The form once more, with what was typed, to be looked over and sent again."""
    sent = without_erased(cast(QueryDict, form.data), problem.stored, names).copy()
    sent["base"] = base_of(problem.stored)
    again = type(form)(sent)
    again.add_error(None, problem.sentence)
    return again
