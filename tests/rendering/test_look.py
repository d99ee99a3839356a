"""The look: contrast, no inline style or script anywhere, static files that exist."""

import re
from html import unescape
from pathlib import Path
from random import Random

import brotli
import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from accounts.models import User
from core.static_files import COMMENTS, HashedFiles, served
from forum.middleware import POLICY
from forum.models import Thread
from forum.operations import caching
from forum.transfer import loading, parsing
from forum.views import errors
from tests.bench import fill
from tests.people import browser

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]
# Mails have no style sheet to link, and no content policy: mail programs know inline style alone.
OURS = sorted(set(ROOT.glob("templates*/**/*.html")) - set(ROOT.glob("templates_django/mail/*")))
# What Django and allauth bring and this site may draw.
THEIRS = [
    (Path(apps.get_app_config(label).path) / "templates", folder)
    for label, folder in (("admin", "admin"), ("account", "account"), ("mptt", "admin"))
]

TAG = re.compile(r"<[a-z][^>]*>", re.I)


def inline(text: str) -> list[str]:
    """What the content policy would refuse: style elements and attributes, handlers, scripts
    without an address (blocks of data are no scripts)."""
    bare = re.sub(r"{#.*?#}|{% comment.*?endcomment %}", "", text, flags=re.S)
    # A tag inside an attribute would end the HTML tag too early.
    bare = re.sub(r"{[{%].*?[%}]}", " ", bare, flags=re.S)
    found = []
    for tag in TAG.findall(bare):
        handler = re.search(r"""[\s"'](style|on[a-z]+)\s*=""", tag, re.I)
        script = tag.lower().startswith("<script")
        data = re.search(r"""type\s*=\s*["']application/(ld\+)?json""", tag)
        if (
            handler
            or tag.lower().startswith("<style")
            or (script and " src" not in tag and not data)
        ):
            found.append(tag)
    return found


@pytest.mark.parametrize(
    "bad",
    [
        '<p style="color: red">',
        "<p class=a style='x'>",
        '<a href="/" onclick="x()">',
        "<style>",
        "<script>",
        '<script type="module">',
        '<a href="{% url "x" %}" onfocus="x()">',
    ],
)
def test_the_search_finds_what_it_looks_for(bad):
    assert inline(bad)


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_of_ours_holds_inline_style_or_script(path):
    assert inline(path.read_text()) == []


def test_what_django_and_allauth_write_inline_is_written_over():
    offenders = set()
    for templates, folder in THEIRS:
        for path in sorted((templates / folder).rglob("*.html")):
            if inline(path.read_text()):
                offenders.add(str(path.relative_to(templates)))
    left = {name for name in offenders if not list(ROOT.glob(f"templates*/{name}"))}
    assert offenders, "the search found nothing at all, so it proves nothing"
    assert left == set()


@pytest.mark.django_db
@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_every_page_of_the_desk_is_free_of_inline_style_and_script(client, theme):
    keeper = User.objects.create_superuser("keeper", "keeper@example.org", "x", theme=theme)
    client.force_login(keeper)
    pages = [reverse("admin:index")]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages.append(reverse(f"{name}_changelist"))
        answer = client.get(reverse(f"{name}_add"))
        if answer.status_code == 200:
            pages.append(reverse(f"{name}_add"))
    pages.append(reverse("admin:accounts_user_change", args=[keeper.pk]))
    pages.append(reverse("admin:auth_user_password_change", args=[keeper.pk]))
    # The theme is said by the base of all of them: in full once, then here and there.
    for address in pages if theme == "auto" else pages[:3]:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert inline(answer.content.decode()) == [], address
        assert f'<meta name="theme" content="{theme}">' in answer.content.decode()
        assert answer["Content-Security-Policy"] == POLICY


def test_the_policy_allows_nothing_inline():
    assert "unsafe" not in POLICY
    assert "nonce" not in POLICY


# --- Pages ----------------------------------------------------------------------------------------

ACCOUNT = ["account_login", "account_signup", "account_reset_password", "account_resend"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ACCOUNT)
def test_account_pages_are_whole(client, name):
    shown = client.get(reverse(name)).content.decode()
    assert inline(shown) == []
    assert len(re.findall(r"<h1[ >]", shown)) == 1
    assert '<a class="skip" href="#main">' in shown
    assert 'id="main"' in shown
    assert "noindex" in shown
    for field in re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*>', shown):
        identity = re.search(r' id="([^"]+)"', field)
        assert identity, field
        wrapped = f'<label class="check">{field}' in shown
        assert wrapped or f'for="{identity[1]}"' in shown, field
    ids = re.findall(r' id="([^"]+)"', shown)
    assert len(ids) == len(set(ids))
    for described in re.findall(r'aria-describedby="([^"]+)"', shown):
        assert set(described.split()) <= set(ids)


@pytest.mark.django_db
def test_a_visitors_page_holds_no_token_and_no_form_that_writes(client):
    answer = client.get("/nowhere/")
    shown = answer.content.decode()
    assert answer.status_code == 404
    assert "This page did not happen" in shown
    assert "csrfmiddlewaretoken" not in shown
    assert 'method="post"' not in shown.lower()
    assert "csrftoken" not in answer.cookies


@pytest.mark.parametrize("name", ["400", "403", "404", "429", "500", "503"])
def test_a_page_of_an_error_says_what_happened_and_no_number(name, rf):
    """A status is for programs: title and heading are words, the same ones, as is what to do."""
    for more in ({}, {"stale_form": True}, {"signed_out": True}):
        page = errors.ErrorPage(kept=(), **more)
        given = {**errors.BARE, "page": page, "site_name": "Site", "request": rf.get("/")}
        shown = render_to_string(f"errors/{name}.html", {**given, "csrf_input": ""})
        (title,) = re.findall(r"<title>(.*?)</title>", shown, re.S)
        (heading,) = re.findall(r"<h1>(.*?)</h1>", shown, re.S)
        assert title.startswith(heading) and len(heading.split()) > 2, (title, heading)
        assert not re.search(r"\d", title), title
        assert name not in re.sub(r"<[^>]*>", " ", shown), name


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("again", [True, False])
def test_error_pages_give_back_every_character(status, again, rf):
    text = '\n  First </textarea><b> & "quoted"\r\n\tlast  \n'
    kept = [{"name": "text", "label": "Text", "value": text}]
    page = errors.ErrorPage(kept=kept, again=again, hidden=[("token", 'a"b')])
    context = {**errors.BARE, "page": page, "site_name": "Jonbar", "request": rf.get("/")}
    shown = render_to_string(f"errors/{status}.html", {**context, "csrf_input": ""})
    (area,) = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", shown, re.S)
    assert unescape(area) == text
    assert ("Send it again" in shown) is again
    assert ("readonly" in shown) is not again
    if again:
        assert '<input type="hidden" name="token" value="a"b">' in unescape(shown)


@pytest.mark.django_db
def test_when_the_database_is_gone_the_page_still_says_so_and_keeps_the_text(client, monkeypatch):
    client.force_login(User.objects.create_user("member-a"))
    client.raise_request_exception = False

    def gone(*args, **kwargs):
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(CursorWrapper, "execute", gone)
    answer = client.post("/threads/new/", {"text": "Long and dear."})
    assert answer.status_code in (500, 503)
    assert "Long and dear." in answer.content.decode()


# --- Static files ---------------------------------------------------------------------------------


def static_names() -> set[str]:
    names = set()
    for path in OURS:
        found = re.findall(r"""static\("([^"]+)"\)|{% static "([^"]+)" %}""", path.read_text())
        names |= {one or other for one, other in found}
    return names


def test_every_static_file_that_a_template_names_exists():
    assert {"css/tokens.css", "css/jonbar.css", "js/jonbar.js"} <= static_names()
    assert [name for name in static_names() if not finders.find(name)] == []


def test_static_files_can_be_gathered_under_hashed_names(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "core.static_files.HashedFiles"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    gathered = HashedFiles(location=tmp_path).hashed_files
    assert static_names() <= set(gathered)
    # What a sheet says to who reads its source is not sent to every reader of the forum.
    for name in (name for name in static_names() if name.startswith("css/")):
        source = (ROOT / "static" / name).read_text()
        sheet = (tmp_path / gathered[name]).read_text()
        assert "/*" not in sheet
        assert sheet.count("{") == re.sub(r"/\*.*?\*/", "", source, flags=re.S).count("{")
    # Under its own name a script would be fetched twice, and would run twice.
    for name in (name for name in static_names() if name.startswith("js/")):
        script = (tmp_path / gathered[name]).read_text()
        for asked in re.findall(r"""(?:from |import\()["']\./([^"']+)""", script):
            assert f"js/{asked}" in gathered.values(), (name, asked)


@pytest.mark.parametrize("name", ["tokens", "jonbar", "pages", "debate", "write", "admin"])
def test_style_sheets_are_well_formed_and_fetch_nothing(name):
    css = (ROOT / f"static/css/{name}.css").read_text()
    bare = re.sub(r'/\*.*?\*/|"[^"]*"', "", css, flags=re.S)
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert "@import" not in css
    assert "url(" not in css
    used = set(re.findall(r"var\((--[\w-]+)", css))
    defined = set(re.findall(r"(--[\w-]+)\s*:", css))
    for shared in ("tokens", "jonbar"):
        sheet = (ROOT / f"static/css/{shared}.css").read_text()
        defined |= set(re.findall(r"(--[\w-]+)\s*:", sheet))
    assert used <= defined


# The largest set of scripts that one page can load: a debate's, for whoever may write in it.
OF_A_DEBATE = ("find", "jonbar", "live", "pictures", "quote", "read", "write")


def test_all_scripts_together_are_small(record_property):
    """A page is complete without them: what they add, as served and not packed, must not cost more
    than 25 KB on a debate, nor all that the forum has more than 30 KB."""
    sizes = {
        path.stem: len(served(path.read_text(), "js").encode())
        for path in sorted((ROOT / "static/js").glob("*.js"))
    }
    for name, size in sizes.items():
        record_property(f"bytes of {name}.js", size)
    debate = sum(sizes[name] for name in OF_A_DEBATE)
    record_property("bytes of all", sum(sizes.values()))
    assert debate <= 25 * 1024, sizes
    assert sum(sizes.values()) <= 30 * 1024, sizes


def test_scripts_lose_nothing_but_comments_where_they_are_served():
    """No line of a script's text begins like a comment, and none ends within a text."""
    for path in sorted((ROOT / "static/js").glob("*.js")):
        text, kept = path.read_text(), served(path.read_text(), "js")
        gone = [line for line in text.splitlines() if line not in kept.splitlines()]
        assert all(line.strip().startswith("//") for line in gone), path.name
        for number, line in enumerate(text.splitlines()):
            if line.strip().startswith("//"):
                before = "\n".join(text.splitlines()[:number])
                assert before.count("`") % 2 == 0, f"{path.name}:{number + 1} stands in a text"


def test_the_logo_needs_no_style_element():
    assert "<style" not in (ROOT / "static/img/logo.svg").read_text()


def faces() -> dict[str, Path]:
    """The files of the forum's own face, by name."""
    sheet = (ROOT / "static/css/face.css").read_text()
    return {
        name: ROOT / "static/css" / path / name
        for path, name in re.findall(r'url\("([^"]*/)([\w-]+\.woff2)"\)', sheet)
    }


@pytest.mark.npm
def test_the_face_is_the_one_that_npm_has_under_its_licence(npm):
    package = npm / "@fontsource" / "source-serif-4"
    assert len(faces()) == 4
    for name, path in faces().items():
        assert path.read_bytes() == (package / "files" / name).read_bytes()
        licence = path.with_name("LICENSE.txt").read_text()
        assert licence == (package / "LICENSE").read_text()
        assert "SIL Open Font License" in licence


@pytest.mark.django_db
def test_the_own_face_can_be_left_out(client, settings):
    """With it a page names its sheet and asks early for what every page needs, at most 45 KB."""
    with_it = client.get("/theme/").content.decode()
    assert "css/face.css" in with_it
    early = re.findall(r'<link rel="preload"[^>]*href="[^"]*/([\w-]+\.woff2)"', with_it)
    assert 0 < sum(faces()[name].stat().st_size for name in early) <= 45_000
    settings.OWN_FACE = False
    without = client.get("/theme/").content.decode()
    assert "face.css" not in without and "woff2" not in without


@pytest.mark.django_db
def test_the_desk_is_set_in_the_own_face_too(moderator, settings):
    assert "css/face.css" in browser(moderator).get("/admin/").content.decode()
    settings.OWN_FACE = False
    assert "face.css" not in browser(moderator).get("/admin/").content.decode()


def wire(name: str) -> int:
    """What a file costs on the wire, compressed as it is served."""
    text = Path(finders.find(name)).read_text()
    kind = name.rpartition(".")[2]
    return len(brotli.compress((served(text, kind) if kind in COMMENTS else text).encode()))


def test_what_every_page_fetches_stays_small():
    names = ("css/tokens.css", "css/jonbar.css", "css/pages.css", "js/jonbar.js")
    assert sum(map(wire, names)) < 10_000


@pytest.fixture
def long_debate(board) -> Thread:
    """The debate of a hundred posts of the benchmark: of a hundred words on average, every third
    quotes (docs/performance.md)."""
    writer = fill.Writer(Random(1907))
    for _ in range(fill.TENS):
        writer.random.getrandbits(32)
        fill.thread_fixture(writer, "small", 10, board.slug)
    data = fill.thread_fixture(writer, "bench-100", 100, board.slug)
    return loading.load(parsing.read(data, "long.json")).thread


@pytest.mark.django_db
def test_a_first_view_of_a_debate_fetches_only_what_it_needs(long_debate, record_property):
    """All of it on the wire, without the face, below 20,000 bytes; for the first who reads what a
    reply has just changed, who does not wait until it is packed well, below 20,500."""
    address = long_debate.get_absolute_url()
    page = Client().get(address).content
    html = page.decode()
    names = re.findall(r'<(?:link rel="(?:icon|stylesheet)"|script)[^>]*"/static/([^"]+)"', html)
    named = {name for name in names if "face" not in name}
    assert named == {
        *("css/tokens.css", "css/jonbar.css", "css/debate.css"),
        *("img/logo.svg", "js/jonbar.js", "js/read.js"),
    }
    fetched = {name: wire(name) for name in named}
    fetched[address] = len(caching.PACK_SMALL["br"](page))
    for name, size in fetched.items():
        record_property(f"bytes of {name}, compressed", size)
    assert sum(fetched.values()) < 20_000, fetched
    quickly = fetched | {address: len(caching.PACK["br"](page))}
    assert sum(quickly.values()) < 20_500, quickly


# --- Contrast -------------------------------------------------------------------------------------

TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", (ROOT / "static/css/tokens.css").read_text()
    )
}
SURFACES = ("paper", "sheet", "red-wash", "blue-wash", "ochre-wash")
# WCAG 2.2: 4.5 for text (1.4.3), 3 for the edges of controls (1.4.11); running text gets 7 (1.4.6).
LEAST = {"ink": 7, "ink-2": 4.5, "red": 4.5, "blue": 4.5, "ochre": 4.5, "rule-2": 3}


def luminance(colour: str) -> float:
    """The relative luminance of a "#rrggbb", as WCAG 2.2 defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_of_contrast_is_right():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "least"), LEAST.items())
def test_inks_can_be_read_on_the_surfaces_they_stand_on(ink, least, theme):
    grounds = ("paper", "sheet") if ink == "rule-2" else SURFACES
    for ground in grounds:
        got = contrast(TOKENS[ink][theme], TOKENS[ground][theme])
        assert got >= least, f"{ink} on {ground}: {got:.2f}"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_letters_on_ink_can_be_read(theme):
    # Main buttons and the word "new".
    assert contrast(TOKENS["paper"][theme], TOKENS["ink"][theme]) >= 7
    assert contrast(TOKENS["paper"][theme], TOKENS["blue"][theme]) >= 4.5
