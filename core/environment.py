"""Settings from the environment, whose names are told where their values cannot be."""

from collections.abc import Iterator
from contextlib import contextmanager

import environ
from django.core.exceptions import ImproperlyConfigured


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Whoever mistypes the setting `name` is told so. Not what it was, nor what the reader of
    addresses says of it, which may be a piece of a password."""
    try:
        yield
    except (ImproperlyConfigured, KeyError, ValueError) as error:
        if name in str(error):
            raise
        raise ImproperlyConfigured(
            f"{name} cannot be what it is now. docs/operating.md says what it may be."
        ) from None


class Environment(environ.Env):
    """As environ has it; raises ImproperlyConfigured, with the name, for a value that is no number
    or no yes or no (which would be a no)."""

    NO = ("false", "off", "n", "no", "0", "")

    def get_value(self, var, cast=None, **options):
        with naming(var):
            found = super().get_value(var, cast=cast, **options)
            if cast is bool and var in self.ENVIRON:
                given = super().get_value(var, cast=str).lower().strip()
                if given not in (*self.BOOLEAN_TRUE_STRINGS, *self.NO):
                    int(given)  # of numbers all are a yes but 0
        return found
