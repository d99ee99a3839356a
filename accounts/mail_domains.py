"""Domains of mail addresses that are not taken, such as those of addresses to be thrown away.

The site keeps the list itself, in a file that a setting names (MAIL_DOMAINS_REFUSED): one domain on
each line, in any spelling; all that lies below it is meant too. A new file counts at once. It is
asked of who joins and of a new address; who has one already goes on with it, a lost password too.
"""

import logging
from functools import lru_cache
from pathlib import Path

import idna
from django.conf import settings
from django.core.exceptions import ValidationError

log = logging.getLogger("accounts")


def check(address: str) -> None:
    """Raise ValidationError, with a sentence on what to do, for an address at such a domain."""
    refused = _refused()
    labels = plain(address.rpartition("@")[2]).split(".")
    if any(".".join(labels[first:]) in refused for first in range(len(labels))):
        raise ValidationError(
            "Addresses of this domain are not taken here: mostly nobody reads them for long. "
            "Please use another one."
        )


def plain(domain: str) -> str:
    """A domain in the one spelling that is compared: as the network asks for it, in ASCII. What is
    no domain stays as it is, in small letters."""
    domain = domain.strip().strip(".").casefold()
    try:
        return idna.encode(domain, uts46=True, std3_rules=False).decode()
    except idna.IDNAError:
        return domain


def _refused() -> frozenset[str]:
    if not settings.MAIL_DOMAINS_REFUSED:
        return frozenset()
    path = Path(settings.MAIL_DOMAINS_REFUSED)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, UnicodeDecodeError):
        log.exception("the list of refused mail domains was not read")
        return frozenset()


@lru_cache(maxsize=1)
def _read(path: Path, changed: int) -> frozenset[str]:
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return frozenset(plain(line.removeprefix("*").lstrip("@.")) for line in lines if line)
