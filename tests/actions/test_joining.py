"""Joining by approval: the question, the wait, the decision, and what is kept of it."""

from datetime import timedelta
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client

from accounts import invitations
from accounts.models import User
from forum.actions import joining, pages
from forum.models import AuditEntry, Case
from forum.models.visibility import cases_visible_to
from forum.moderation import closing, queue
from forum.own_data import retention
from forum.own_data.parts import PARTS
from forum.permissions import NotThere, Refused
from tests.accounts.provider import onward, serving
from tests.accounts.test_accounts import PASSWORD, confirm, link, page, sign_in, sign_up, signed_in
from tests.accounts.test_signing_in import sends
from tests.people import browser, fresh

pytestmark = [pytest.mark.django_db, pytest.mark.reads]
QUEUE = "/admin/forum/case/"
ANSWER = "I read of Sealion.\nAnd I doubt it."


@pytest.fixture(autouse=True)
def site(settings):
    settings.JOINING = "approval"
    settings.SITE_URL = "https://debates.example"
    confirm(settings, "optional")


def applies(name="member-x", client=None, answer=ANSWER, **fields) -> User | None:
    sign_up(client or Client(), name, answer=answer, **fields)
    return User.objects.filter(username=name).first()


def case_of(member) -> Case:
    return Case.objects.get(member=member, kind=Case.Kind.JOIN)


# --- Asking ---------------------------------------------------------------------------------------


def test_who_joins_answers_and_waits(client, moderator, django_capture_on_commit_callbacks):
    form = page(client.get("/accounts/signup/"))
    assert joining.QUESTION in form
    assert 'name="answer"' in form
    answer = sign_up(client, "member-x", answer=ANSWER)
    assert answer.status_code == 200
    assert "Your account waits" in page(answer)
    assert not signed_in(client)
    joined = User.objects.get(username="member-x")
    assert joined.waits_since
    case = case_of(joined)
    assert case.asked_why == ANSWER.replace("\n", "\r\n") or case.asked_why == ANSWER
    again = Client()
    assert "Your account waits" in page(sign_in(again, "member-x"))
    assert not signed_in(again)

    queue.decide(user=moderator, case=case, act="admit")
    assert sign_in(again, "member-x").status_code == 302
    assert signed_in(again)
    assert AuditEntry.objects.get(verb="admit").member == joined


def test_the_question_is_the_sites_own(client, administrator):
    pages.edit(user=administrator, kind="joining", source="Which *fork* do you doubt?")
    form = page(client.get("/accounts/signup/"))
    assert "Which <em>fork</em> do you doubt?" in form
    assert joining.QUESTION not in form
    assert client.get("/joining/").status_code == 404


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", "Answer the question"),
        ("  \n ", "Answer the question"),
        ("x" * 1001, "at most 1,000"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_kept(client, answer, words):
    told = page(sign_up(client, "member-x", answer=answer))
    assert words in told
    assert answer.strip() in told
    assert not User.objects.filter(username="member-x").exists()


def test_a_mistake_elsewhere_keeps_the_answer(client):
    told = page(sign_up(client, "member-x", answer="My <answer>", password1="short"))
    assert "My &lt;answer&gt;" in told


@pytest.mark.parametrize("how", ["open", "invitation", "closed"])
def test_other_ways_of_joining_ask_nothing(client, settings, how):
    settings.JOINING = how
    assert 'name="answer"' not in page(client.get("/accounts/signup/"))
    sign_up(client, "member-x", answer="Let me in.")
    assert signed_in(client) == (how == "open")
    assert not Case.objects.exists()


# --- Every way in ---------------------------------------------------------------------------------


def test_waiting_accounts_stay_out_of_every_door(client, thread, settings, opener):
    joined = applies(client=client)
    assert not signed_in(client)
    given = {"sign_in_name": "member-x", "sign_in_password": PASSWORD}
    told = page(sends(Client(), thread, text="A word.", **given))
    assert "This account was not let in yet." in told
    assert "A word." in told
    # A link to set a password is no way in either.
    client.post("/accounts/password/reset/", {"email": joined.email})
    form = client.get(link(mail.outbox[-1]))
    client.post(form["Location"], {"password1": "another horse 8", "password2": "another horse 8"})
    assert not signed_in(client)
    assert "Your account waits" in page(sign_in(client, "member-x", "another horse 8"))
    assert not signed_in(client)


def test_confirming_the_address_is_no_way_in(client, settings, moderator):
    confirm(settings, "required")
    answer = sign_up(client, "member-x", answer=ANSWER)
    assert answer["Location"] == "/accounts/confirm-email/"
    joined = User.objects.get(username="member-x")
    assert not cases_visible_to(moderator).exists()  # nobody knows yet whose address it is
    looked = client.get(link(mail.outbox[-1]))
    told = client.post(looked.request["PATH_INFO"], follow=True)
    assert not signed_in(client)
    assert "Your account waits" in page(told)
    assert EmailAddress.objects.get(user=joined).verified
    assert cases_visible_to(moderator).get() == case_of(joined)


@pytest.mark.parametrize("how", ["required", "optional", "off"])
def test_no_page_promises_that_one_can_sign_in_or_write_at_once(settings, client, how):
    confirm(settings, how)
    with serving(("sub-1", {})) as provider:
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [provider.settings()]}}
        sent = client.post("/accounts/oidc/example/login/")
        client.get(provider.signs_in(onward(sent), "sub-1"))
        paths = ("signup/", "3rdparty/signup/", "confirm-email/", "resend/")
        told = {path: words(client.get(f"/accounts/{path}")) for path in paths}
    for path, shown in told.items():
        for promise in ("you can sign in.", "at once", "and write", "One step is left"):
            assert promise not in shown, path
    if how == "required":
        for path in paths[:3]:
            assert "a moderator lets you in or says why not" in told[path], path


def words(response) -> str:
    """The page on one line."""
    return " ".join(page(response).split())


@pytest.mark.parametrize("how", ["required", "optional"])
def test_a_provider_and_an_invitation_are_no_way_around(settings, stranger, how):
    confirm(settings, how)
    User.objects.filter(pk=stranger.pk).update(welcomed_at=stranger.date_joined)
    invitation = invitations.make(user=fresh(stranger))
    invited = applies("member-y", invitation=invitation.token)
    assert invited.waits_since
    assert invited.invitation == invitation
    assert applies("member-z", invitation="nonsense").waits_since
    with serving(("sub-1", {})) as provider:
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [provider.settings()]}}
        client = Client()

        def goes():
            sent = client.post("/accounts/oidc/example/login/")
            return client.get(provider.signs_in(onward(sent), "sub-1"))

        goes()
        assert joining.QUESTION in page(client.get("/accounts/3rdparty/signup/"))
        fields = {"username": "member-x", "email": "x@example.org"}
        told = page(client.post("/accounts/3rdparty/signup/", fields))
        assert "Answer the question" in told
        client.post("/accounts/3rdparty/signup/", {**fields, "answer": ANSWER})
        assert not signed_in(client)
        assert User.objects.get(username="member-x").waits_since
        EmailAddress.objects.filter(email="x@example.org").update(verified=True)
        assert "Your account waits" in page(goes())
        assert not signed_in(client)


def test_the_answer_tells_nothing_of_an_address(settings):
    """The same page for an address with an account and for one without."""
    confirm(settings, "required")
    User.objects.create_user("member-a").set_address("member-a@example.org", known=True)
    seen = []
    for email in ("member-a@example.org", "nobody@example.org"):
        client = Client()
        answer = sign_up(client, f"x-{email[:2]}", email=email, answer=ANSWER)
        told = page(client.get(answer["Location"])).replace(email, "")
        seen.append((answer.status_code, answer["Location"], told))
    assert seen[0] == seen[1]
    assert len(mail.outbox) == 2


# --- Deciding -------------------------------------------------------------------------------------


def test_moderators_see_who_waits_and_decide_several(moderator, board_moderator, stranger):
    waiting = [applies(f"member-{letter}") for letter in "xyz"]
    told = browser(moderator).get(f"{QUEUE}?kind=join").content.decode()
    assert "Who wants to join 3" in told
    assert "I read of Sealion." in told
    assert told.index("member-x") < told.index("member-y") < told.index("member-z")
    assert "member-x" not in browser(board_moderator).get(QUEUE).content.decode()
    with pytest.raises(NotThere):
        queue.decide(user=board_moderator, case=case_of(waiting[0]), act="admit")
    chosen = [case_of(member).pk for member in waiting[:2]]
    sent = {"together": "", "chosen": chosen, "act": "turn away", "reason": ""}
    assert browser(moderator).post(QUEUE, sent).status_code == 422
    assert not User.objects.filter(turned_away_at__isnull=False).exists()
    sent["reason"] = "One is enough."
    assert browser(moderator).post(QUEUE, sent).status_code == 302
    assert User.objects.filter(turned_away_at__isnull=False).count() == 2
    browser(moderator).post(QUEUE, {"case": case_of(waiting[2]).pk, "act": "admit", "reason": ""})
    assert fresh(waiting[2]).waits_since is None
    assert browser(moderator).get(QUEUE).content.decode().count("wants to join") == 0


def test_who_was_turned_away_is_told_and_stays_out(moderator, client):
    joined = applies()
    queue.decide(user=moderator, case=case_of(joined), act="turn away", reason="A second account.")
    joining.mail_decision.func(joined.pk, "turn away", "A second account.")
    (sent,) = mail.outbox[-1:]
    assert sent.to == [joined.email]
    assert "A second account." in sent.body
    assert "You were not let in" in page(sign_in(client, "member-x"))
    assert not signed_in(client)
    entry = AuditEntry.objects.get(verb="turn away")
    assert entry.member is None  # the log outlives the account
    told = browser().get("/log/").content.decode()
    assert not [words for words in ("member-x", "A second account.") if words in told]


def test_who_is_let_in_is_told(moderator):
    joined = applies()
    joining.mail_decision.func(joined.pk, "admit", "")
    assert "was let in" in mail.outbox[-1].body
    assert "https://debates.example/accounts/login/" in mail.outbox[-1].body


def test_the_second_of_two_moderators_is_told(moderator, administrator):
    case = case_of(applies())
    queue.decide(user=moderator, case=case, act="admit")
    with pytest.raises(Refused, match=f"{moderator.username} decided this just now: “Let in”"):
        queue.decide(user=administrator, case=case, act="turn away", reason="No.")
    assert fresh(case.member).waits_since is None
    queue.decide(user=moderator, case=case, act="admit")  # the same form again


def test_the_command_lists_decides_and_makes(stranger, django_capture_on_commit_callbacks):
    def says(*args, **fields) -> str:
        told = StringIO()
        call_command("joining", *args, stdout=told, **fields)
        return told.getvalue()

    joined, other = applies(), applies("member-y")
    listed = says()
    assert listed.index("member-x") < listed.index("member-y")
    assert "member-x@example.org" in listed
    assert "Let in." in says(admit="MEMBER-X")
    assert fresh(joined).waits_since is None
    assert says().count("member-") == 2  # name and address of the other
    with pytest.raises(CommandError, match="Say why"):
        says(turn_away="member-y")
    says(turn_away="member-y", reason="No.")
    assert fresh(other).turned_away_at
    says(admit="member-y")  # after all
    assert fresh(other).waits_since is None
    assert fresh(other).turned_away_at is None
    for odd in ("nobody", stranger.username):
        with pytest.raises(CommandError):
            says(admit=odd)
    says(make=["member-q", "Q@example.org"])
    made = User.objects.get(username="member-q")
    assert made.address_known
    assert not made.has_usable_password()
    for name, address in (("member-q", "r@example.org"), ("x y", "r@example.org"), ("z-z", "no")):
        with pytest.raises(CommandError):
            says(make=[name, address])


# --- What is kept ---------------------------------------------------------------------------------


def test_who_was_turned_away_goes_after_a_month(moderator):
    joined, waiting = applies(), applies("member-y")
    queue.decide(user=moderator, case=case_of(joined), act="turn away", reason="No.")
    assert retention.sweep()["accounts that were turned away"] == 0
    User.objects.filter(pk=joined.pk).update(turned_away_at=F("turned_away_at") - timedelta(31))
    assert retention.sweep()["accounts that were turned away"] == 1
    assert not User.objects.filter(pk=joined.pk).exists()
    assert Case.objects.get().member == waiting
    assert AuditEntry.objects.filter(verb="turn away").exists()
    told = page(Client().get("/privacy/"))
    assert "Accounts that were not let in" in told


def test_an_address_that_was_never_confirmed_goes_with_its_answer(settings):
    confirm(settings, "required")
    joined = applies()
    User.objects.filter(pk=joined.pk).update(date_joined=F("date_joined") - timedelta(31))
    retention.sweep()
    assert not Case.objects.exists()
    assert not User.objects.filter(pk=joined.pk).exists()


def test_what_one_wrote_is_in_ones_own_data_and_goes_with_the_account(moderator):
    joined = applies()
    queue.decide(user=moderator, case=case_of(joined), act="admit")
    (part,) = (part for part in PARTS if part.name == "answers on joining")
    (row,) = part.rows(joined)
    assert row["asked_why"].startswith("I read of Sealion.")
    closing.close_own(user=fresh(joined))
    assert not Case.objects.filter(kind=Case.Kind.JOIN).exists()
