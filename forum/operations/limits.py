"""How often one network, or one token, may ask for what costs something: counted by the minute or
by a longer span, in the cache that all workers share."""

import time
from ipaddress import ip_address, ip_network

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest

from core.database_answers import database_errors
from core.problems import Problem


class TooOften(Problem):
    """More was asked for within a minute, or a longer span, than the site allows."""

    status = 429

    def __init__(self, sentence: str, *, within: int = 60) -> None:
        super().__init__(sentence)
        self.retry_after = within - int(time.time()) % within


def network_of(request: HttpRequest) -> str:
    """The network that a request comes from. Whoever has an address of the sixth version has all
    of a /64."""
    address = ip_address(get_adapter().get_client_ip(request))
    return str(ip_network((address, 64 if address.version == 6 else 32), strict=False))


def count(what: str, who: str, most: int, sentence: str, *, within: int = 60) -> None:
    """Count that `who` asks for `what`. Raises TooOften with `sentence` where that was more than
    `most` times within this minute, or this span of so many seconds; 0 lifts the limit."""
    if not most:
        return
    key = f"{what}:{who}:{int(time.time()) // within}"
    try:
        counted = _counted(key, within)
    except database_errors(ValueError):
        return  # nothing can be written just now, and nobody is kept from reading
    if counted > most:
        raise TooOften(sentence, within=within)


def _counted(key: str, within: int) -> int:
    try:
        counted = cache.incr(key)
    except ValueError:  # the first one
        cache.add(key, 0, timeout=within + 60)
        counted = cache.incr(key)
    if within > 60:
        cache.touch(key, within)  # counting alone lets a row of the database's cache end early
    return counted
