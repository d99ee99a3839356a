"""What the law asks of whoever runs a forum, as those see it whom it concerns: with JavaScript and
without."""

import re
import zipfile

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from playwright.sync_api import expect

from accounts.models import Invitation, Session, User
from core import clock
from forum.models import Board, GuestReport, Report
from forum.moderation import closing, transparency
from forum.outbox.worker import Worker
from forum.rendering import context
from tests.people import PASSWORD

from . import world
from .readers import NARROW, faults

pytestmark = pytest.mark.parametrize("javascript", [True, False])


@pytest.fixture(autouse=True)
def as_a_site(settings, site, tmp_path):
    settings.DATA_DIR = tmp_path
    settings.SITE_URL = site.url
    cache.clear()


def signs_in(sits_down, name: str, *, javascript: bool):
    """Somebody who came by the form, with name and password."""
    reader = sits_down(javascript=javascript)
    reader.opens("/accounts/login/")
    reader.fills("Name or mail address", name)
    reader.page.locator("[name=password]").fill(PASSWORD)
    reader.presses("Sign in")
    return reader


def gives_password(reader) -> None:
    """Confirm what was asked for by the password, on the page that asks for it."""
    assert "/accounts/reauthenticate/" in reader.page.url
    reader.page.locator("[name=password]").fill(PASSWORD)
    reader.page.locator("main form .btn.main").first.click()  # to a page, or to a file


def test_sessions_are_seen_and_ended(sits_down, javascript):
    user = world.member("member-a")
    one = signs_in(sits_down, "member-a", javascript=javascript)
    other = signs_in(sits_down, "member-a", javascript=javascript)
    assert Session.objects.filter(user=user).count() == 2
    one.opens("/accounts/settings/")
    one.goes_by(one.page.locator("main a[href='/accounts/sessions/']").first)
    assert "this one" in one.page.inner_text("main")
    one.presses("Sign out everywhere but here")
    assert Session.objects.filter(user=user).count() == 1
    other.opens("/drafts/")
    assert "/accounts/login/" in other.page.url
    one.opens("/drafts/")
    assert "/drafts/" in one.page.url


def test_ones_data_is_asked_for_and_fetched(sits_down, javascript, tmp_path):
    world.load_source_thread()
    user = world.member("member-a")
    thread = world.start(user, "What if the tunnel had been dug?", "In 1880, say.")
    world.reply(user, thread, "It was dug by hand.")
    reader = signs_in(sits_down, "member-a", javascript=javascript)
    reader.opens("/accounts/data/")
    reader.presses("Put my data together")
    assert "is being put together" in reader.page.inner_text("main")
    Worker().drain()
    reader.opens("/accounts/data/")
    with reader.page.expect_download() as arriving:
        reader.page.get_by_role("link", name="Fetch the file").click()
        if "/reauthenticate/" in reader.page.url:
            gives_password(reader)
    path = tmp_path / "fetched.zip"
    arriving.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    assert "It was dug by hand." in text


def test_an_account_is_closed_at_once(sits_down, javascript):
    user = world.member("member-a")
    reader = signs_in(sits_down, "member-a", javascript=javascript)
    reader.opens("/accounts/close/")
    reader.presses("Close it at once, for good")
    if "/reauthenticate/" in reader.page.url:
        gives_password(reader)
    expect(reader.page.locator("main")).to_contain_text("Your account is closed")
    again = sits_down(javascript=javascript)
    again.opens("/accounts/login/")
    again.fills("Name or mail address", "member-a")
    again.page.locator("[name=password]").fill(PASSWORD)
    again.presses("Sign in")
    assert "do not fit together" in again.page.inner_text("main")
    assert User.objects.get(pk=user.pk).closed_at


def test_an_account_is_closed_later_and_kept_after_all(sits_down, javascript):
    user = world.member("member-a")
    reader = signs_in(sits_down, "member-a", javascript=javascript)
    reader.opens("/accounts/close/")
    reader.presses("Close it in 14 days")
    if "/reauthenticate/" in reader.page.url:
        gives_password(reader)
    expect(reader.page.locator("main")).to_contain_text("will be closed on")
    assert User.objects.get(pk=user.pk).closing_at - clock.now() <= closing.PAUSE
    reader.presses("Keep my account")
    assert User.objects.get(pk=user.pk).closing_at is None


def test_an_invitation_is_made_used_and_used_up(sits_down, settings, javascript):
    settings.JOINING = "invitation"
    settings.NEW_MEMBER_POSTS = 0
    host = world.member("member-a")
    reader = sits_down(host, javascript=javascript)
    reader.opens("/accounts/invitations/")
    reader.fills("For whom", "Voice A")
    reader.presses("Make a link")
    link = reader.page.get_by_label("Link", exact=True).input_value()
    assert Invitation.objects.get().uses_left == 1
    guest = sits_down(javascript=javascript)
    guest.opens("/accounts/signup/")
    assert not guest.page.locator("main [name=username]").count()
    guest.opens(link.removeprefix(guest.url))
    assert "member-a invites you" in guest.page.inner_text("main")
    guest.page.locator("[name=username]").fill("member-g")
    guest.page.locator("[name=email]").fill("member-g@example.org")
    guest.page.locator("[name=password1]").fill(PASSWORD)
    guest.presses("Make the account")
    assert User.objects.get(username="member-g").invitation.made_by == host
    late = sits_down(javascript=javascript)
    late.opens(link.removeprefix(late.url))
    assert not late.page.locator("main [name=username]").count()
    reader.opens("/accounts/invitations/")
    assert "Came: member-g" in reader.page.inner_text("main")


def test_a_visitor_reports_and_learns_the_outcome(sits_down, settings, mailoutbox, javascript):
    settings.PROOF_OF_WORK = 100
    settings.CONFIRM_ADDRESS = "required"
    author, warden = world.member("member-a"), world.member("member-w", is_staff=True)
    world.load_source_thread()
    Board.objects.get(slug="after-1900").moderators.add(warden)
    thread = world.start(author, "What if the tunnel had been dug?", "In 1880, say.")
    post = world.reply(author, thread, "It says where somebody lives.")
    visitor = sits_down(javascript=javascript)
    visitor.opens(thread.get_absolute_url())
    visitor.opens_more(post)
    visitor.follows("Report")
    page = visitor.page
    assert page.get_by_label("Address of the post").input_value().endswith(f"/posts/{post.pk}/")
    page.get_by_label("It is spam").check()
    assert not page.locator("#good_faith").is_visible()
    page.get_by_label("It is against the law").check()
    page.locator("#text").fill("It names where a private person lives.")
    visitor.presses("Report it")  # name, address and good faith are missing
    assert "asks for your name" in page.inner_text("main")
    assert page.locator("#text").input_value() == "It names where a private person lives."
    assert not javascript or not faults(page)
    page.set_viewport_size(NARROW)
    assert not javascript or not faults(page)
    page.locator("#name").fill("Voice A")
    page.locator("#email").fill("voice-a@example.org")
    page.locator("#good_faith").check()
    page.get_by_role("button", name="Report it").click()
    page.wait_for_url(re.compile(r"/report/[2-9A-Z-]{24}/"))
    assert "waits for a moderator" in page.inner_text("main")
    guest = GuestReport.objects.get()
    assert page.url.endswith(f"/report/{guest.number}/")

    Worker().drain()
    visitor.opens(re.search(r"(/report/\S+key=\S+)", mailoutbox[-1].body)[1])
    visitor.presses("Yes, it is mine")
    assert "Confirmed." in page.inner_text("main")
    assert Report.objects.get().heeded

    moderator = sits_down(warden, javascript=javascript)
    moderator.opens("/admin/")
    case = moderator.page.locator(".docket")
    assert "From outside, Voice A, address confirmed" in " ".join(case.inner_text().split())
    case.get_by_label("Reason, shown").fill("It names a private person.")
    moderator.goes_by(case.get_by_role("button", name="Hide"))
    Worker().drain()
    assert "It names a private person." in mailoutbox[-1].body
    visitor.opens(f"/report/{guest.number}/")
    told = page.inner_text("main")
    assert "The post that you reported was hidden." in told
    assert "It names a private person." in told


def test_figures_privacy_and_reports_are_found_from_the_foot(sits_down, javascript):
    transparency.count_quarters()
    context.forget_links()
    visitor = sits_down(javascript=javascript)
    for name, heading in (
        ("Privacy", "Privacy"),
        ("Report illegal content", "Report a post"),
        ("Moderation log", "log"),
    ):
        visitor.opens("/")
        visitor.goes_by(visitor.page.locator("footer").get_by_role("link", name=name, exact=True))
        assert heading.lower() in visitor.page.locator("h1").inner_text().lower()
    visitor.goes_by(visitor.page.locator("main a[href='/transparency/']").first)
    assert visitor.page.locator("h1").inner_text() == "Moderation in figures"


def test_programs_find_where_a_password_is_changed_and_whom_to_tell(
    sits_down, settings, javascript
):
    settings.SECURITY_CONTACT = "mailto:holes@example.org"
    reader = sits_down(world.member("member-a"), javascript=javascript)
    reader.opens("/.well-known/change-password")
    assert reader.page.url.endswith("/accounts/password/change/")
    reader.opens("/.well-known/security.txt")
    assert "mailto:holes@example.org" in reader.page.inner_text("body")
    assert EmailAddress.objects.count() == 1
