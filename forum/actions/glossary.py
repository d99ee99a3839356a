"""Keeping the glossary: what a term means shows in posts all over the site."""

from django.db import transaction

from accounts.models import raise_site_version

from ..models import Term
from ..permissions import require
from .audit import record


def define(*, user, term: Term) -> Term:
    """Write a new term, or what was changed in one. Raises permissions.Refused."""
    require(user, "define")
    with transaction.atomic():
        before = Term.objects.select_for_update(no_key=True).filter(pk=term.pk).first()
        if before is not None and _content(before) == _content(term):
            return term
        term.save()
        record(user, "define", before=_content(before), after=_content(term))
        raise_site_version()
    return term


def forget(*, user, term: Term) -> None:
    """Take a term out. Raises permissions.Refused."""
    require(user, "define")
    with transaction.atomic():
        record(user, "forget", before=_content(term), after=None)
        term.delete()
        raise_site_version()


def _content(term: Term | None) -> dict | None:
    if term is None:
        return None
    return {"name": term.name, "aliases": term.aliases, "meaning": term.meaning}
