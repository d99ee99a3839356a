"""Every page, wide and light, narrow and dark: usable by everybody, and nothing goes wrong in it.

In both sights: sizes of targets, what sticks out, and contrast, once for each look (`faults` in
readers.py). What is the same in any size and theme (names, labels, headings, landmarks) is looked
at in one of them, from page to page in the other one.

A quick run (JONBAR_QUICK=1) looks at each page in one of both, in turn.
JONBAR_LONG=1 looks at everything in narrow and light, wide and dark as well: the same elements in
the same colours, so that it finds nothing new as a rule and takes several times as long.
"""

import re

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.contrib import admin
from django.db import OperationalError
from django.urls import get_resolver, resolve, reverse

from forum.mailing import guests, stopping

from . import world
from .readers import LONG, NARROW, QUICK, WIDE, Reader, faults

SIGHTS = [(WIDE, "light"), (NARROW, "dark")]
if LONG:
    SIGHTS += [(NARROW, "light"), (WIDE, "dark")]

# What each reader is shown. Braces are filled in from `world.furnish()`.
FOR_VISITORS = """
    /
    /boards/after-1900/
    /boards/after-1900/?kind=AHC&order=newest&only=answered
    /boards/after-1900/?kind=TL
    /boards/maps-and-flags/
    /boards/antiquity/
    /threads/{source.pk}/
    /threads/{source.pk}/{source.slug}/?view=tree
    /threads/{deep.pk}/{deep.slug}/?view=tree
    /threads/{quotes.pk}/{quotes.slug}/
    /threads/{wide.pk}/{wide.slug}/
    /threads/{rtl.pk}/{rtl.slug}/
    /threads/{rtl.pk}/{rtl.slug}/?view=tree
    /threads/{forty_five.pk}/{forty_five.slug}/?page=2
    /threads/{forty_five.pk}/{forty_five.slug}/?view=tree&page=3
    /threads/{removed.pk}/{removed.slug}/
    /threads/{removed.pk}/{removed.slug}/?view=tree
    /threads/{locked.pk}/{locked.slug}/
    /threads/{quotes.pk}/outline/
    /threads/{quotes.pk}/jump/?to=nothing
    /threads/{quotes.pk}/{quotes.slug}/?lane=consequence
    /questions/
    /debates/
    /help/
    /help/quoting/
    /help/programs/
    /api/
    /timeline/
    /map/
    /map/?in=europe
    /gallery/
    /gallery/?shows=flag&age=1&in=europe
    /threads/{locked.pk}/atlas/
    /threads/{quotes.pk}/atlas/
    /search/?q=party
    /posts/{exact.pk}/
    /posts/{exact.pk}/road/
    /posts/{voted.pk}/poll/
    /threads/{voted.thread_id}/
    /posts/{edited.pk}/quotes/
    /posts/{stale.pk}/quotes/1/
    /posts/{edited.pk}/history/
    /members/member-a/
    /pictures/{picture.key}/
    /pictures/{picture.key}/zoom/
    /threads/{locked.pk}/{locked.slug}/
    /members/خوارزمي/
    /members/member-c/
    /theme/
    /keys/
    /rules/
    /log/
    /transparency/
    /report/?post={exact.pk}
    /report/{reported.number}/
    /report/{reported.number}/?key={reported_key}
    /privacy/
    /glossary/
    /threads/{quotes.pk}/read/
    /accounts/signup/
    /accounts/resend/
    /accounts/login/
    /accounts/inactive/
    /accounts/confirm-email/
    /accounts/confirm-email/{confirm_key}/
    /accounts/confirm-email/bad:key/
    /accounts/login/code/confirm/
    /accounts/password/reset/
    /accounts/password/reset/done/
    /accounts/password/reset/key/{reset_key}/
    /accounts/password/reset/key/1-bad-key/
    /accounts/password/reset/key/done/
"""
FOR_AUTHORS = """
    /
    /boards/after-1900/?only=unread
    /threads/new/
    /threads/new/?board=antiquity
    /threads/{quotes.pk}/{quotes.slug}/
    /threads/{deep.pk}/{deep.slug}/?view=tree
    /threads/{deep.pk}/new/
    /threads/{forty_five.pk}/{forty_five.slug}/?page=2
    /threads/{locked.pk}/{locked.slug}/
    /threads/{source.pk}/reply/
    /threads/{quotes.pk}/reply/?to={exact.pk}&quote={exact.pk}&quote={edited.pk}.1
    /threads/{quotes.pk}/rename/
    /threads/{quotes.pk}/close/
    /threads/{quotes.pk}/describe/
    /threads/{quotes.pk}/variant/
    /posts/{edited.pk}/edit/
    /posts/{own.pk}/withdraw/
    /posts/{exact.pk}/argument/
    /posts/{exact.pk}/minds/
    /threads/{voted.thread_id}/
    /posts/{polled.pk}/poll/
    /posts/{polled.pk}/poll/change/
    /posts/{edited.pk}/quotes/
    /accounts/emblem/
    /drafts/
    /notices/
    /notices/{told.pk}/answer/
    /mail/
    /mail/stop/{stop_token}/
    /feeds/
    /members/member-b/?kind=WI&age=30
    /members/member-b/debates/
    /members/member-b/debates/?kind=AHC&order=newest
    /watching/
    /bookmarks/
    /posts/{exact.pk}/bookmark/
    /debates/?only=unread
    /debates/?only=mine
    /notices/?only=answers
    /boards/after-1900/watch/
    /threads/{quotes.pk}/watch/
    /posts/{exact.pk}/watch/
    /members/member-b/watch/
    /standing/
    /standing/name/
    /pictures/{picture.key}/
    /posts/{exact.pk}/report/
    /members/member-a/
    /members/member-q/
    /theme/
    /accounts/settings/
    /accounts/sessions/
    /accounts/tokens/
    /accounts/data/
    /accounts/invitations/
    /accounts/close/
    /accounts/email/
    /accounts/password/change/
    /accounts/reauthenticate/
    /accounts/logout/
"""
FOR_MODERATORS = """
    /threads/{removed.pk}/{removed.slug}/
    /threads/{waiting.thread_id}/
    /threads/{forty_five.pk}/moderate/
    /threads/{forty_five.pk}/split/
    /posts/{exact.pk}/moderate/
    /posts/{exact.pk}/mark/
    /pictures/{picture.key}/mark/
    /log/{locking.pk}/undo/
"""
# Models whose pages at the desk are more than Django's lists and rows.
OWN_PAGES = {"auditentry", "board", "case", "member", "post", "thread", "upload", "user"}
# What is no page: it takes a form, answers a machine, or leads elsewhere.
NO_PAGES = {"mark-read", "fold", "ignore", "healthz", "readyz", "metrics"}
NO_PAGES |= {"transparency-json", "mail-again", "news", "drop-bookmark", "own-data-file"}
NO_PAGES |= {"save-draft", "newest-draft", "discard-draft", "read-notices"}
NO_PAGES |= {"stop-watching", "watch-history"}
NO_PAGES |= {"outline-argdown", "outline-json", "thread-epub", "road-epub"}
NO_PAGES |= {"thread-fixture", "thread-markdown", "release"}
NO_PAGES |= {"feed", "board-feed", "thread-feed", "story-feed", "branch-feed", "member-feed"}
NO_PAGES |= {"search-feed", "own-watching-feed", "own-notices-feed", "own-board-feed"}
NO_PAGES |= {"names", "post-words", "search-offer", "thread-picture", "picture-file", "add-picture"}
NO_PAGES |= {"tile", "emblem-file", "places"}
# What programs read and write; the page about it is looked at.
NO_PAGES |= {f"api-{name}" for name in "boards thread threads posts post replies tree".split()}
NO_PAGES |= {f"api-{name}" for name in "revisions quotes questions divergences preview".split()}
NO_PAGES |= {f"api-{name}" for name in "outline search drafts discard-draft description".split()}
NO_PAGES |= {"timeline-feed", "sitemap", "sitemap-part", "robots", "security", "new-password"}


def opened(reader: Reader, made, pages: str) -> list[str]:
    """Open the pages one by one and collect what is wrong with each."""
    found = []
    for path in pages.split():
        address = path.format(**vars(made)) if made else path
        reader.opens(address)
        found += looked_at(reader)
    return found


def looked_at(reader: Reader, *, ours=True, sights=SIGHTS, structure=True) -> list[str]:
    """What is wrong with the page that stands there, in each size and theme; the structure, if at
    all, in one of them, in turn."""
    found = []
    reader.pages += 1
    if QUICK:
        sights = [sights[reader.pages % len(sights)]]
    for at, (size, theme) in enumerate(sights):
        reader.page.set_viewport_size(size)
        reader.page.emulate_media(color_scheme=theme)
        in_turn = "all" if at == reader.pages % len(sights) else "size"
        told = faults(reader.page, ours=ours, rules=in_turn if structure else "none")
        found += [f"{reader.page.url} {size['width']} {theme}: {fault}" for fault in told]
    return found


def test_every_address_is_looked_at():
    """A new page cannot be forgotten here. (The desk's pages are taken from its registry.)"""
    pages = FOR_VISITORS + FOR_AUTHORS + FOR_MODERATORS
    paths = [path.partition("?")[0] for path in pages.split()]
    paths = [re.sub(r"\{\w+_key\}", "1-a", path) for path in paths]
    looked_at = {resolve(re.sub(r"\{.+?\}", "1", path)).url_name for path in paths}
    # Two-step login is looked at where it happens: tests/browser/test_passkeys.py.
    # So is signing in by a provider: tests/browser/test_providers.py.
    elsewhere = ("mfa_", "socialaccount_", "openid_connect_", "connections", "sign-in-again")
    # Some old addresses of allauth lead on, and have no names.
    names = {name for name in _names(get_resolver()) if name and not name.startswith(elsewhere)}
    assert looked_at | NO_PAGES | {"account_set_password"} == names


def _names(resolver) -> set[str]:
    """The names of all addresses but the desk's."""
    found = set()
    for pattern in resolver.url_patterns:
        if getattr(pattern, "namespace", None) != "admin":
            found |= _names(pattern) if hasattr(pattern, "url_patterns") else {pattern.name}
    return found


@pytest.fixture
def made(site):
    made = world.furnish()
    made.confirm_key = EmailConfirmationHMAC(
        EmailAddress.objects.create(user=made.quiet, email="new@example.org")
    ).key
    made.reset_key = (
        f"{user_pk_to_url_str(made.two)}-{default_token_generator.make_token(made.two)}"
    )
    made.reported_key = guests.key_of(made.reported)
    made.stop_token = stopping.token(made.two, ["act"])
    return made


def test_pages_for_visitors(made, sits_down):
    found = opened(sits_down(), made, FOR_VISITORS)
    assert not found, "\n".join(found)


def test_pages_for_members(made, sits_down):
    found = opened(sits_down(made.one), made, FOR_AUTHORS)
    # What a moderator sees besides: hidden words, acts.
    found += opened(sits_down(made.moderator), made, FOR_MODERATORS)
    found += opened(sits_down(made.quiet), made, "/threads/{waiting.thread_id}/")
    made.quiet.set_unusable_password()
    made.quiet.save()
    found += opened(sits_down(made.quiet), made, "/accounts/password/set/ /accounts/settings/")
    assert not found, "\n".join(found)


def test_an_empty_forum(site, sits_down):
    found = opened(sits_down(), None, "/")
    chief = world.member("member-c", is_staff=True, is_superuser=True)
    found += opened(sits_down(chief), None, "/ /members/member-c/ /drafts/")
    assert not found, "\n".join(found)


def test_forms_that_are_not_taken(made, sits_down):
    """Mistakes, previews, and a post that was saved elsewhere meanwhile."""
    reader = sits_down(made.one)
    reader.careless = True
    page, found = reader.page, []

    reader.opens("/threads/new/")
    reader.fills("Title", "T" * 161)
    reader.fills("Opening", "[quote]" * 30)
    reader.presses("Open the debate")
    found += looked_at(reader)
    reader.fills("Title", "A title")
    reader.fills("Opening", "*Something* of an opening")
    reader.presses("Preview")
    assert page.locator(".preview em").inner_text() == "Something"
    found += looked_at(reader)

    reader.opens(f"/threads/{made.quotes.pk}/reply/?to={made.exact.pk}&quote={made.exact.pk}")
    reader.presses("Preview")
    found += looked_at(reader)
    reader.fills("Text", " \n")
    reader.presses("Post reply")
    found += looked_at(reader)

    reader.opens(f"/threads/{made.quotes.pk}/rename/")
    reader.fills("Title", "R" * 161)
    reader.presses("Rename")
    found += looked_at(reader)

    reader.opens(f"/threads/{made.quotes.pk}/describe/")
    page.get_by_label("When").first.fill("the 45th of May")
    reader.presses("Save")
    found += looked_at(reader)

    reader.opens(f"/posts/{made.edited.pk}/edit/")
    world.edit(made.edited, "Saved in another tab, and longer than it was. " * 5)
    reader.fills("Text", "Typed in this tab.")
    reader.presses("Save")
    assert page.get_by_role("alert").is_visible()
    found += looked_at(reader)

    reader.opens("/accounts/settings/")
    reader.fills("Time zone", "Mars/Olympus")
    reader.presses("Keep these settings")
    found += looked_at(reader)

    visitor = sits_down()
    visitor.opens("/accounts/signup/")
    visitor.fills("Name", "admin")
    visitor.fills("Mail address", "a@example.org")
    visitor.fills("Password", "12345678")
    visitor.presses("Make the account")
    found += looked_at(visitor)
    visitor.opens("/accounts/login/")
    visitor.fills("Name or mail address", "member-a")
    visitor.fills("Password", "wrong")
    visitor.presses("Sign in")
    found += looked_at(visitor)
    visitor.opens("/accounts/login/")
    visitor.fills("Name or mail address", "member-a")
    visitor.fills("Password", world.PASSWORD)
    visitor.presses("Sign in")
    found += looked_at(visitor)
    assert not found, "\n".join(found)


def test_failures(made, sits_down, settings, monkeypatch):
    """400, 403, 404, 429, 500 and 503, and what they give back."""
    reader, visitor = sits_down(made.one), sits_down()
    reader.careless = True
    page, found = reader.page, []
    reader.opens("/nothing/", status=404)
    found += looked_at(reader)
    visitor.opens("/threads/999999/", status=404)
    found += looked_at(visitor)
    reader.opens("/admin/", status=403)
    found += looked_at(reader)

    reader.opens("/theme/")
    page.evaluate("""() => {
      const field = () => Object.assign(document.createElement("input"), {name: "many"});
      document.querySelector("main form").append(...Array.from({length: 600}, field));
    }""")
    with page.expect_navigation() as arrival:
        page.locator("main").get_by_role("button", name="Dark").click()
    assert arrival.value.status == 400
    found += looked_at(reader)

    reader.opens(f"/threads/{made.source.pk}/reply/")
    reader.fills("Text", "Not to be lost.")
    reader.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    assert reader.presses("Post reply").status == 403
    assert page.get_by_label("Text").input_value() == "Not to be lost."
    found += looked_at(reader)

    reader.opens(f"/threads/{made.source.pk}/reply/")
    reader.fills("Text", "Nor this.")
    monkeypatch.setattr("forum.actions.posts.reply", _raises(OperationalError("locked")))
    assert reader.presses("Post reply").status == 503
    assert page.get_by_label("Text").input_value() == "Nor this."
    found += looked_at(reader)
    monkeypatch.setattr("forum.actions.posts.reply", _raises(ZeroDivisionError()))
    assert reader.presses("Send it again").status == 500
    assert page.get_by_label("Text").input_value() == "Nor this."
    found += looked_at(reader)

    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "1/h/ip"}
    for _ in range(2):
        visitor.opens("/accounts/password/reset/")
        visitor.fills("Mail address", "nobody@example.org")
        visitor.presses("Send me the link")
    assert visitor.page.title().startswith("Too much at once")
    found += looked_at(visitor)
    assert not found, "\n".join(found)


def _raises(error: Exception):
    def fails(*args, **kwargs):
        raise error

    return fails


@pytest.mark.whole
def test_the_desk(made, sits_down, monkeypatch):
    """Lists, single rows, forms and questions of every model in the admin."""
    for site in admin.site._registry.values():
        # Rows of a list are alike, and axe takes the square of their number.
        monkeypatch.setattr(site, "list_per_page", 5)
    chief, found = sits_down(made.chief), []
    moderator = sits_down(made.moderator)
    addresses = """
        /admin/forum/member/{quiet.pk}/review/
        /admin/ /admin/forum/ /admin/password_change/ /admin/forum/post/?q=tin
        /admin/forum/board/add/ /admin/forum/board/{empty.pk}/delete/ /admin/accounts/user/add/
        /admin/forum/board/{source.board_id}/history/ /admin/accounts/user/{one.pk}/password/
    """.format(**vars(made)).split()
    for address in addresses:
        chief.opens(address)
        found += looked_at(chief, ours=False)
    # The lists have one template, and so have the rows: each model's list is looked at, in turn as
    # the one and as the other sight; rows, and the structure, where a model adds something of its
    # own (with JONBAR_LONG=1 every row; tests/admin/test_desk.py opens them all in any case).
    for turn, model in enumerate(admin.site._registry):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model._base_manager.order_by("pk").last()
        own = model._meta.model_name in OWN_PAGES
        pages = [reverse(f"{name}_changelist")]
        if row is not None and (own or LONG):
            pages.append(reverse(f"{name}_change", args=[row.pk]))
        for other, address in enumerate(pages):
            chief.opens(address)
            sights = SIGHTS if LONG else [SIGHTS[(turn + other) % 2]]
            found += looked_at(chief, ours=False, sights=sights, structure=own)
    moderator.opens("/admin/forum/post/")
    moderator.page.locator("select[name=action]").select_option("hide")
    moderator.page.locator("input.action-select").first.check()
    # Django 5.2 calls it Go, 6.1 Run.
    moderator.goes_by(moderator.page.locator(".actions button[name=index]"))
    found += looked_at(moderator, ours=False)
    moderator.presses("Hide")  # without a reason
    found += looked_at(moderator, ours=False)
    assert not found, "\n".join(found)
