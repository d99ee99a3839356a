"""An OpenID provider of its own process's threads, over HTTP: oidc-provider-mock, with what goes
wrong at providers to be switched on."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from io import BytesIO
from urllib.parse import parse_qsl, urlsplit

import oidc_provider_mock
import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from werkzeug.wrappers import Request, Response

from tests.waiting import PATIENCE

SECRET = "never to be shown 0815"
ID = "example"
LOGIN, CALLBACK = f"/accounts/oidc/{ID}/login/", f"/accounts/oidc/{ID}/login/callback/"


@dataclass
class OpenIDProvider:
    """The provider: its address, what it was asked, and what it does wrong."""

    url: str = ""
    challenge: str = ""
    token_requests: list[dict[str, str]] = field(default_factory=list)
    instead: dict[str, Response] = field(default_factory=dict)  # by path
    audience: str = ""

    def settings(self, name: str = "Example", key: str = ID) -> dict:
        return {
            "provider_id": key,
            "name": name,
            "client_id": "jonbar",
            "secret": SECRET,
            "settings": {"server_url": self.url},
        }

    def answers(self, path: str, body, status: int = 200) -> None:
        """Have the provider answer so at a path."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.instead[path] = Response(text, status, content_type="application/json")

    def signs_in(self, address: str, sub: str, *, action: str = "") -> str:
        """Somebody signs in at the address that the forum sent them to; returns where the provider
        sends them, within the forum."""
        answer = requests.post(
            address, data={"sub": sub, "action": action}, allow_redirects=False, timeout=PATIENCE
        )
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def around(self, app):
        """The provider's own program, which knows no PKCE, with what it was asked written down."""

        def ask(environ, start_response):
            request = Request(environ)
            if answer := self.instead.get(request.path):
                return answer(environ, start_response)
            if request.path == "/oauth2/authorize":
                self.challenge = request.args.get("code_challenge", "")
                assert request.args.get("code_challenge_method") == "S256"
                if self.audience:
                    environ["QUERY_STRING"] = environ["QUERY_STRING"].replace(
                        "client_id=jonbar", f"client_id={self.audience}"
                    )
            if request.path == "/oauth2/token":
                body = request.get_data(as_text=True)
                sent = dict(parse_qsl(body))
                self.token_requests.append(sent)
                verifier = sent.get("code_verifier", "")
                assert create_s256_code_challenge(verifier) == self.challenge
                if self.audience:
                    body = body.replace("client_id=jonbar", f"client_id={self.audience}")
                environ["wsgi.input"] = BytesIO(body.encode())
                environ["CONTENT_LENGTH"] = str(len(body))
            return app(environ, start_response)

        return ask


@contextmanager
def serving(*people: tuple[str, dict]) -> Iterator[OpenIDProvider]:
    """A provider that knows these people, each by an id and what it tells of them."""
    users = [oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in people]
    made = OpenIDProvider()
    with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
        made.url = f"http://localhost:{server.server_port}"
        server.app = made.around(server.app)
        yield made


def onward(page) -> str:
    """Where the page leads that sends somebody to the provider."""
    return unescape(re.search(r'<a class="btn main" href="([^"]+)"', page.content.decode())[1])
