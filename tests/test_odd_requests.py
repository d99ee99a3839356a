"""Whatever is sent to whatever address, by whom ever: the answer is a page that says what to do,
and never 500. Odd arguments, queries, forms, cookies and headers, drawn from seeds.

The ordinary run asks each address a few times, as guest, member or moderator in turn; JONBAR_LONG=1
asks each as all three, many times.
"""

import os
import random
import re
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, quote_from_bytes, urlencode
from uuid import uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.urls.resolvers import RoutePattern

from accounts.models import User
from core.utf_8 import utf_8_only
from forum.models import AuditEntry, Draft, Notice, Thread
from forum.views.acts_offered import POST_OFFERS, THREAD_OFFERS
from tests.acts import world as acts_world
from tests.people import browser, typed

pytestmark = pytest.mark.django_db
ARGUMENT = re.compile(r"\{(\w+)\}")
LONG = os.environ.get("JONBAR_LONG") == "1"
ROOT = Path(__file__).resolve().parents[1]
PEOPLE = (None, "stranger", "keeper", "chief")
LOOKS, FORMS = (12, 24) if LONG else (1, 1)  # of each address and person
HEADERS = 6_000 if LONG else 150

ODD = (
    *("", " ", "\u200b", "0", "-1", "1", "007", "+1", "1.5", "1e9", "1e309", "0x10", "1_000"),
    *(str(2**31), str(2**63), str(10**30), "9" * 5_000, "²", "½", "١٢", "Ⅷ", "๓"),
    *("NaN", "Infinity", "-inf", "null", "true", "None", "[]", "{}", '{"a":', "[" * 3_000),
    *(
        "\0",
        "a\0b",
        "\x1b[2J",
        "\r\nX-Other: y",
        "\u202e",
        "\ud800",
        "a\udfffb",
        "\ue000",
        "\ufdd0",
    ),
    *("\uffff", "\U0010ffff", "\U000e0001", "e\u0301", "é" * 300, "😀", "İ", "ß" * 200),
    *("%", "%s", "%00", "%zz", "{{ 1 }}", "{% now %}", "<script>", "' OR 1=1 --", '"', "\\", "`"),
    *("xyz", "/", "//", "///elsewhere.example", "//elsewhere.example", "http:", "http://[", "a:b"),
    *(
        "http://[::1",
        "https://elsewhere.example",
        "javascript:alert(1)",
        "mailto:a",
        "/\\a",
        "?",
        "#",
    ),
    *(
        "../../etc/passwd",
        ".",
        "..",
        "a/b",
        "-",
        "_",
        ",,,",
        ";",
        "a|b",
        "a.b.c",
        "1,2",
        "1 2",
        "*",
    ),
    *("pk__in", "id__exact", "__class__", "all", "on", "newest", "undefined", "admin", "stranger"),
    *("not-a-uuid", "0" * 32, "00000000-0000-0000-0000-000000000000", "forum.post", "forum_post"),
    *(
        "2026-13-45",
        "0000-00-00",
        "-99999999999",
        "99999999-01-01",
        "9999-12-31T23:59:59Z",
        "Y-17e7",
    ),
    *("c. 1924", "1924~", "-0043-03-15", "24:00", "x" * 70_000, "a\n" * 3_000, ">" * 500),
    *("[quote]" * 80, "[quote=a, post: 1]b[/quote]", "@" * 50, "#1", "post: 1", "a@b.example"),
    *(b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"%u0000", b"\x00"),
)
# A cookie's value as browsers may send it, written out here since no jar would.
COOKIES = (
    *('"\\000abc"', '"\\000"', '"' + "\\141" * 32 + '"', '"\\377\\376"', '"', '""', "", "=", ";;;"),
    *(
        "\xe9\xff",
        "a" * 32,
        "A" * 32,
        "a" * 31 + "\0",
        "../" * 11,
        "a" * 4_000,
        "a b",
        "\\000",
        "{}",
    ),
    *("[]", "1:a:b", "e30:1a:b", ".eJw:1a:b", '[["__json_message",0,20,"a",""]]', "%00", "dark"),
)
ODD_HEADERS = {
    "CONTENT_TYPE": (
        *("", "text", "/", "application/json", "multipart/form-data", "a/b; charset=utf-8"),
        *("multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 300),
        *("multipart/form-data; boundary=\xe9", "application/x-www-form-urlencoded; charset=x"),
        *("text/html; charset=" + "x" * 300, ";;;=;"),
    ),
    "HTTP_ACCEPT": ("application/json", "", "*", "\xff"),
    "HTTP_ACCEPT_ENCODING": ("gzip;q=x", "*", "", "gzip;q=0", "br,,;;", "\xff" * 50),
    "HTTP_ACCEPT_LANGUAGE": ("xx;q=9", "a" * 9_000, ",", "\xff"),
    "HTTP_AUTHORIZATION": ("Basic", "Bearer \xff", "Basic !!!", "Bearer " + "x" * 500),
    "HTTP_HOST": ("", "[", "[::1", "a b", "elsewhere.example", "localhost:99999", "\xff", "..:"),
    "HTTP_IF_MODIFIED_SINCE": ("x", "0", "Thu, 99 Foo 99999 99:99:99 GMT", "-1"),
    "HTTP_IF_NONE_MATCH": ("*", '"', 'W/"', "\xff", ",,,"),
    "HTTP_ORIGIN": ("null", "http://[", "x", "", "\xff", "http://testserver"),
    "HTTP_RANGE": ("bytes=9-1", "x", "bytes=-1"),
    "HTTP_REFERER": ("http://[", "https://[::1", "", "x", "\xff", "http://a:b:c"),
    "HTTP_SEC_FETCH_SITE": ("same-origin", "x", ""),
    "HTTP_SEC_PURPOSE": ("prefetch",),
    "HTTP_USER_AGENT": ("", "\xff" * 900),
    "HTTP_X_CSRFTOKEN": ("", "\xff", "a" * 64, "a" * 32),
    "HTTP_X_FORWARDED_FOR": ("", "x", "1.2.3.4, x", "::ffff:1.2.3.4%eth0", "," * 90),
    "HTTP_X_FORWARDED_HOST": ("[", "elsewhere.example"),
    "HTTP_X_FORWARDED_PROTO": ("https", "x", "https,http"),
    "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE",),
    "HTTP_X_REQUEST_ID": ("\r\n", "a" * 90, "\xff", ""),
    "HTTP_X_REQUESTED_WITH": ("XMLHttpRequest",),
    "REMOTE_ADDR": ("", "x", "::1", "127.0.0.1"),
    "CONTENT_LENGTH": ("-1", "", "99999999999"),  # what is no number a server refuses
}
METHODS = (*["GET"] * 4, *["POST"] * 4, "HEAD", "OPTIONS", "PUT", "TRACE", "XYZ")
# Names that the code reads out of queries and forms, whether or not a page has such a field.
READ = sorted(
    {
        name
        for app in ("accounts", "forum")
        for path in (ROOT / app).rglob("*.py")
        for name in re.findall(
            r'(?:GET|POST|said|posted|request|FILES)(?:\.get(?:list)?\(|\[)"([\w-]+)"',
            path.read_text(),
        )
    }
    | {"next", "_popup", "_to_field", "_changelist_filters", "e", "o", "p", "q", "all", "_facets"}
    | {"action", "_selected_action", "select_across", "index", "_save", "username__regex", "login"}
    | {
        "password__contains",
        "thread__board__slug",
        "saved_at__year",
        "pk__in",
        "id__foo",
        "form-0-id",
    }
    | {
        "form-TOTAL_FORMS",
        "form-INITIAL_FORMS",
        "form-0-when",
        "csrfmiddlewaretoken",
        "page",
        "view",
    }
)


def _addresses(patterns, before="", within=""):
    """Every address of the site as (name, its text with {arguments})."""
    for pattern in patterns:
        text = str(pattern.pattern)
        if isinstance(pattern.pattern, RoutePattern):
            text = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", text)
        else:
            text = re.sub(r"\(\?P<(\w+)>(?:[^()\\]|\\.)*\)", r"{\1}", text).strip("^$")
            text = text.replace("\\Z", "").replace("\\", "")
        if hasattr(pattern, "url_patterns"):
            yield from _addresses(pattern.url_patterns, before + text, pattern.namespace or within)
        else:
            yield f"{within}:{pattern.name}" if within else str(pattern.name), f"/{before}{text}"


ADDRESSES = sorted(
    {
        *_addresses(get_resolver().url_patterns),
        *(
            (f"moderate-{thing} {offer.act.name}", f"{start}/moderate/?act={offer.act.name}")
            for thing, start, offers in (
                ("post", "/posts/{post_id}", POST_OFFERS),
                ("thread", "/threads/{thread_id}", THREAD_OFFERS),
            )
            for offer in offers
        ),
    }
)


def test_every_address_is_walked():
    names = {name for name, _ in ADDRESSES}
    assert {"home", "thread", "account_login", "mfa_index", "admin:forum_post_change"} <= names
    assert all("(" not in address for _, address in ADDRESSES)


@pytest.fixture(scope="module")
def world(settled):
    made = acts_world.build()
    keys = {None: ""}
    for name in PEOPLE[1:]:
        client = browser(User.objects.get(username=name))
        keys[name] = client.cookies[settings.SESSION_COOKIE_NAME].value
    thread = Thread.objects.get(pk=made.ids["main"])
    return SimpleNamespace(
        keys=keys,
        arguments={
            "thread_id": thread.pk,
            "post_id": made.ids["b"],
            "notice_id": Notice.objects.values_list("pk", flat=True).first(),
            "entry_id": AuditEntry.objects.values_list("pk", flat=True).first(),
            "username": "answerer",
            "picture_key": "abcdefgh2345",
            "emblem": "0" * 64,
            "total": "0123456789abcdef",
            "level": 0,
            "x": 0,
            "y": 0,
            "name": "about",
            "slug": thread.slug,
            "token": Draft.objects.get().token,
            "app_label": "forum",
            "key": "3-abc",
            "uidb36": "1",
        },
        fields={},
    )


class Odd:
    """Draws odd requests and remembers what was answered."""

    def __init__(self, world, seed: int) -> None:
        self.world, self.draw = world, random.Random(seed)
        self.asked, self.faults, self.statuses = 0, [], {}

    def usual(self, text: str) -> str:
        """The address of things that are there."""
        return ARGUMENT.sub(lambda found: self.argument(found[1], text), text)

    def argument(self, name: str, address: str) -> str:
        """What stands for a thing that is there."""
        if name == "slug" and address.startswith("/boards/"):
            return "modern"
        if name == "object_id" and (model := _model(address)):
            return quote(str(model._base_manager.values_list("pk", flat=True).first() or 1))
        return quote(str(self.world.arguments.get(name, "1")))

    def address(self, text: str) -> str:
        """An address of which some arguments are odd."""

        def choose(found: re.Match) -> str:
            if self.draw.random() < 0.2:
                return _escaped(self.draw.choice(ODD))[:3_000]
            return self.argument(found[1], text)

        return ARGUMENT.sub(choose, text)

    def pairs(self, names) -> bytes:
        """Some names with odd values, as they stand in a query or a form."""
        names = [*self.draw.choices(READ, k=self.draw.randint(0, 3)), *names]
        pairs = [f"{quote(name)}={_escaped(self.draw.choice(ODD))}" for name in names]
        if self.draw.random() < 0.1:
            pairs.append(_escaped(self.draw.choice(ODD)))
        return "&".join(pairs)

    def form(self, fields: dict[str, str]) -> str:
        """The form of a page with some of its fields made odd, left out or sent twice."""
        names = list(fields)
        odd = set(self.draw.sample(names, k=min(len(names), self.draw.choice((0, 1, 1, 2, 9)))))
        kept = [name for name in names if name not in odd and self.draw.random() < 0.95]
        parts = [f"{quote(name)}={quote(fields[name])}" for name in kept]
        return "&".join(filter(None, [*parts, self.pairs(odd)]))

    def ask(self, method: str, address: str, who, *, body="", check_forms=False, **more):
        """Send one request in a savepoint, so that the next finds the forum as it was."""
        path, _, query = address.partition("?")
        client = Client(enforce_csrf_checks=check_forms)
        if who:
            client.cookies[settings.SESSION_COOKIE_NAME] = self.world.keys[who]
        more = {"CONTENT_TYPE": "application/x-www-form-urlencoded", **more}
        self.asked += 1
        with transaction.atomic():
            try:
                answer = client.generic(
                    method, path, body.encode("latin-1"), QUERY_STRING=query, **more
                )
                status = answer.status_code
                self.statuses[status] = self.statuses.get(status, 0) + 1
                found = f"{status}" if status >= 500 else ""
                list(answer.streaming_content if answer.streaming else ())
            except Exception as error:
                found, answer = f"{type(error).__name__}: {str(error)[:200]}", None
            transaction.set_rollback(True)
        if found:
            shown = f"{method} {address[:200]!a} by {who}, {body[:300]!a} {more!a:.500}: {found}"
            self.faults.append(shown)
        return answer

    def worst(self) -> str:
        """What failed, each kind once."""
        kinds = {fault.rpartition("}: ")[2]: fault for fault in self.faults}
        return "\n".join([f"{len(self.faults)} of {self.asked:,} requests", *kinds.values()])

    def told(self) -> str:
        statuses = ", ".join(f"{count:,} × {n}" for n, count in sorted(self.statuses.items()))
        return f"{self.asked:,} requests to {len(ADDRESSES)} addresses: {statuses}"


def _escaped(value: str | bytes) -> str:
    data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return quote_from_bytes(data, safe="")


def _model(address: str):
    """The model of an address of the desk."""
    found = re.match(r"/admin/(\w+)/(\w+)/", address)
    return apps.get_model(found[1], found[2]) if found else None


def _people(number: int):
    """Everybody in the long form, one in turn in the short."""
    return PEOPLE if LONG else (PEOPLE[number % len(PEOPLE)],)


def test_odd_queries_and_arguments(world, record_property):
    odd = Odd(world, 1)
    for number, (_, text) in enumerate(ADDRESSES):
        for who in _people(number):
            for _ in range(LOOKS):
                query = odd.pairs(())
                address = odd.address(text)
                odd.ask("GET", f"{address}{'&' if '?' in text else '?'}{query}", who)
    record_property("measured", odd.told())
    assert not odd.faults, odd.worst()


def test_odd_forms(world, record_property):
    odd = Odd(world, 2)
    for number, (_, text) in enumerate(ADDRESSES):
        for who in _people(number + 1):
            fields = {"token": str(uuid4())}
            usual = odd.usual(text)
            page = odd.ask("GET", usual, who)
            if page is not None and page.status_code == 200 and "html" in page["Content-Type"]:
                fields |= typed(page)
            for _ in range(FORMS):
                odd.ask("POST", odd.address(text), who, body=odd.form(fields))
            # Which PostgreSQL keeps in no text and looks for in none.
            for name in fields if LONG else odd.draw.sample(list(fields), 1):
                holding = urlencode(fields | {name: f"{fields[name]}\0a"})
                odd.ask("POST", usual, who, body=holding)
    record_property("measured", odd.told())
    assert not odd.faults, odd.worst()


def test_odd_cookies_headers_and_methods(world, record_property):
    odd = Odd(world, 3)
    names = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "theme", "messages", "other")
    for number in range(HEADERS):
        _, text = ADDRESSES[number % len(ADDRESSES)]
        who = odd.draw.choice(PEOPLE)
        more = {
            name: odd.draw.choice(ODD_HEADERS[name])
            for name in odd.draw.sample(sorted(ODD_HEADERS), k=odd.draw.randint(0, 3))
        }
        if odd.draw.random() < 0.6:
            cookies = {name: odd.draw.choice(COOKIES) for name in odd.draw.sample(names, k=2)}
            if who and odd.draw.random() < 0.5:
                cookies[settings.SESSION_COOKIE_NAME] = world.keys[who]
            more["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        odd.ask(
            odd.draw.choice(METHODS),
            odd.address(text),
            who,
            body=odd.pairs(()),
            check_forms=odd.draw.random() < 0.3,
            **more,
        )
    for cookie in COOKIES:
        for name in names:
            odd.ask("GET", "/", None, HTTP_COOKIE=f"{name}={cookie}")
    record_property("measured", odd.told())
    assert not odd.faults, odd.worst()


@pytest.mark.parametrize("back", ["xyz", "a.b", "admin:index", "//elsewhere.example", "http://["])
def test_the_theme_leads_back_to_paths_of_this_site_only(back):
    answer = Client().post("/theme/", {"theme": "dark", "next": back})
    assert (answer.status_code, answer["Location"]) == (302, "/")


@pytest.mark.parametrize("key", ['"\\000abcdefgh"', '"' + "\\000" * 32 + '"', "A" * 32, "a" * 33])
def test_what_was_never_given_out_is_no_session(key):
    """In octal a cookie holds any character, NUL too."""
    for address in ("/", "/notices/", "/accounts/login/", "/admin/", "/healthz"):
        cookie = f"{settings.SESSION_COOKIE_NAME}={key}"
        assert Client().get(address, HTTP_COOKIE=cookie).status_code in (200, 302)


@pytest.mark.parametrize(
    "charset",
    ["undefined", "punycode", "hex", "utf-16", "iso-8859-1", "rot13", "utf-8", "UTF8", ""],
)
@pytest.mark.parametrize("kind", ["text/html; charset={}", 'a/b; Charset = "{}"; boundary=c'])
def test_what_is_not_sent_in_utf_8_is_refused(charset, kind):
    """Django fails at some of these before any middleware is asked."""
    told = []

    def django(environ, start_response):
        WSGIRequest(environ)
        start_response("200 OK", [])

    given = RequestFactory().get("/?a=%E9").environ | {"CONTENT_TYPE": kind.format(charset)}
    utf_8_only(django)(given, lambda status, headers: told.append(status[:3]))
    assert told == ["200" if charset.lower() in ("", "utf-8", "utf8") else "415"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "XYZ"])
def test_methods_that_no_page_knows_are_refused(method):
    for address in (
        "/",
        "/theme/",
        "/healthz",
        "/accounts/login/",
        "/static/css/jonbar.css",
        "/no/",
    ):
        answer = Client().generic(method, address)
        assert answer.status_code == 405
        assert answer["Allow"] == "GET, HEAD, POST, OPTIONS"
        assert not answer.content


@pytest.mark.parametrize("number", ["9" * 5_000, str(10**30), "²"])
def test_numbers_that_no_row_has_are_not_there(world, number):
    odd = Odd(world, 4)
    member = User.objects.get(username="answerer").pk
    for address, name in (
        ("/admin/forum/case/", "case"),
        (f"/admin/forum/member/{member}/review/", "undo"),
    ):
        answer = odd.ask("POST", address, "chief", body=f"{name}={quote(number)}")
        assert answer is not None and answer.status_code == 404, odd.faults
