"""Programs that ask the API in the name of members."""

import pytest
from django.test import Client

from accounts import tokens


class Program(Client):
    """Asks the API with the token of a member, or with none."""

    def __init__(self, user=None, *, scope: str = "read", **options) -> None:
        super().__init__(**options)
        self.token = ""
        if user is not None and user.is_authenticated:
            self.token = tokens.make(user=user, name="A program", scope=scope)
            self.defaults["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"

    def read(self, address: str, **asked) -> dict:
        """What an address below /api/ answers, which must be a yes."""
        response = self.get(f"/api/{address}", asked)
        assert response.status_code == 200, response.content
        return response.json()


@pytest.fixture
def program():
    """Makes a program for a member, or one without a token."""
    return Program
