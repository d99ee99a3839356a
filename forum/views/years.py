"""The years a list is narrowed to: read from its form, and asked of divergences."""

from collections.abc import Mapping

from forum.text.history_dates import HistoryDate, NotADate, read

from ..models.debate import DivergenceQuerySet

YEARS = ("from", "to")


def read_years(asked: Mapping[str, str]) -> tuple[dict[str, HistoryDate], dict[str, str]]:
    """The dates typed as "from" and "to" in `asked`, and a sentence for each that is none; both by
    those names. What was left empty is in neither."""
    limits, errors = {}, {}
    for name in YEARS:
        if asked[name]:
            try:
                limits[name] = read(asked[name])
            except NotADate as error:
                errors[name] = str(error)
    return limits, errors


def within(
    divergences: DivergenceQuerySet, limits: Mapping[str, HistoryDate]
) -> DivergenceQuerySet:
    """Those of `divergences` that may lie between the dates of `limits` (see `read_years`)."""
    if "from" in limits:
        divergences = divergences.filter(last_day__gte=limits["from"].first)
    if "to" in limits:
        divergences = divergences.filter(first_day__lte=limits["to"].last)
    return divergences
