"""What a reader need not wait for, done by the worker that has answered them."""

from collections.abc import Callable

from django.http import HttpResponse


class FollowedUp(HttpResponse):
    """A page after which `follow_up` is called once, when the server has sent it and closes it
    (PEP 3333). A worker that is killed before loses it. What it raises reaches the server's log
    alone."""

    def __init__(self, content: str, *, follow_up: Callable[[], None]) -> None:
        super().__init__(content)
        self._follow_up: Callable[[], None] | None = follow_up

    def close(self) -> None:
        follow_up, self._follow_up = self._follow_up, None
        try:
            if follow_up is not None:
                follow_up()
        finally:
            super().close()  # which gives the connection to the database back
