"""Accounts from sign-up to settings, for each way a site may confirm addresses."""

import re
import threading
import time
from datetime import datetime, timedelta
from io import StringIO

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.adapter import Adapter
from accounts.models import User
from tests.waiting import PATIENCE

PASSWORD = "correct horse 9"
SITE = "https://debates.example"

pytestmark = [pytest.mark.django_db, pytest.mark.reads]


@pytest.fixture(autouse=True)
def site(settings):
    settings.SITE_URL = SITE
    confirm(settings, "required")


def confirm(settings, how: str) -> None:
    """Choose how addresses are confirmed, as the environment variable CONFIRM_ADDRESS does."""
    settings.CONFIRM_ADDRESS = how
    settings.ACCOUNT_EMAIL_VERIFICATION = {
        "required": "mandatory",
        "optional": "optional",
        "off": "none",
    }[how]


def member(name="member-a", known=True, **fields) -> User:
    """A member with an address of the same name."""
    user = User.objects.create_user(name, password=PASSWORD, **fields)
    user.set_address(f"{name}@example.org", known=known)
    return user


def sign_up(client, name="member-a", **fields):
    """Fill in the form; `fields` replace what is typed."""
    data = {"username": name, "email": f"{name}@example.org", "password1": PASSWORD, **fields}
    return client.post(reverse("account_signup"), data)


def sign_in(client, name="member-a", password=PASSWORD, **fields):
    """Fill in the form; returns the answer, which is a redirection when it worked."""
    data = {"login": name, "password": password, **fields}
    return client.post(reverse("account_login"), data)


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def link(message) -> str:
    """The path of the first link in a mail; it must lead to the site's own address."""
    address = re.search(r"\S+://\S+", message.body)[0]
    assert address.startswith(f"{SITE}/")
    return address.removeprefix(SITE)


def set_password(client, path: str, password="another horse 8"):
    """Follow a reset link to its form and send it."""
    form = client.get(path)
    if form.status_code != 302:
        return form
    return client.post(form["Location"], {"password1": password, "password2": password})


def page(response) -> str:
    """The page without what differs from one drawing to the next."""
    return re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1", response.content.decode())


def new_address(client, email="new@example.org"):
    """Ask for another address and give the password that is asked for on the way."""
    asked = client.post(reverse("account_email"), {"email": email, "action_add": ""})
    return client.post(asked["Location"], {"password": PASSWORD})


# --- Signing up -----------------------------------------------------------------------------------


def test_required_the_first_sign_in_waits_for_the_link(client):
    answer = sign_up(client)
    assert answer["Location"] == reverse("account_email_verification_sent")
    assert not signed_in(client)
    assert "before you sign in" in page(client.get(answer["Location"]))
    assert sign_in(Client())["Location"] == reverse("account_email_verification_sent")

    (sent,) = mail.outbox
    assert sent.to == ["member-a@example.org"]
    assert "Jonbar" in sent.subject
    assert sent.alternatives == []
    looked = client.get(link(sent))
    assert "Is this your address?" in page(looked)
    assert not EmailAddress.objects.get().verified, "looking at the page must not confirm"

    client.post(link(sent))
    assert EmailAddress.objects.get().verified
    assert signed_in(client), "the browser that signed up goes on"
    assert "This link does not work" in page(Client().get(link(sent)))


def test_required_another_browser_confirms_and_then_signs_in(client):
    sign_up(Client())
    answer = client.post(link(mail.outbox[0]))
    assert answer["Location"] == reverse("account_login")
    assert not signed_in(client), "whoever holds the link is not thereby the member"
    sign_in(client, "member-a@example.org")
    assert signed_in(client)


def test_optional_writes_at_once_and_confirms_later(client, settings):
    confirm(settings, "optional")
    assert sign_up(client)["Location"] == "/"
    assert signed_in(client)
    assert "not confirmed yet" in page(client.get(reverse("settings")))
    client.post(link(mail.outbox[0]))
    assert "not confirmed yet" not in page(client.get(reverse("settings")))
    assert EmailAddress.objects.get().verified


def test_off_sends_nothing_and_promises_nothing(client, settings):
    confirm(settings, "off")
    sign_up(client)
    assert signed_in(client)
    client.post(reverse("account_reset_password"), {"email": "member-a@example.org"})
    client.post(reverse("account_resend"), {"email": "member-a@example.org"})
    new_address(client)
    assert mail.outbox == []
    assert User.objects.get().email == "new@example.org"
    visitor = Client()
    for name in (
        "account_signup",
        "account_reset_password",
        "account_reset_password_done",
        "account_resend",
        "account_email_verification_sent",
    ):
        shown = page(visitor.get(reverse(name)))
        assert "sends no mail" in shown
        assert "We send" not in shown
        assert "mailbox" not in shown
    for name in ("settings", "account_email"):
        shown = page(client.get(reverse(name)))
        assert "confirmed yet" not in shown
        assert "We send a link" not in shown


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("required", "Once you have opened the link you can sign in."),
        ("optional", "You can write at once"),
        ("off", "This site sends no mail."),
    ],
)
def test_the_form_says_what_happens_to_the_address(client, settings, how, sentence):
    confirm(settings, how)
    assert sentence in page(client.get(reverse("account_signup")))


def test_the_link_works_as_long_as_the_mail_says(client, settings):
    from allauth.account import app_settings

    sign_up(client)
    assert "three days" in mail.outbox[0].body
    assert app_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS == 3
    member("member-b")
    client.post(reverse("account_reset_password"), {"email": "member-b@example.org"})
    assert "for a day" in mail.outbox[-1].body
    assert settings.PASSWORD_RESET_TIMEOUT == 24 * 3600


def test_a_reset_link_is_dead_after_a_day(client, monkeypatch):
    member("member-a")
    client.post(reverse("account_reset_password"), {"email": "member-a@example.org"})
    path = link(mail.outbox[0])
    tomorrow = datetime.now() + timedelta(hours=25)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: tomorrow)
    assert "does not work" in page(set_password(client, path))
    assert User.objects.get().check_password(PASSWORD)


def test_a_name_that_looks_like_anothers_is_refused_with_a_sentence(client):
    member("Paul")
    for name in ("paul", "PAUL", "pau1", "p.aul"):
        answer = sign_up(client, name, email="else@example.org")
        assert "This name is taken." in page(answer) or "looks too much like" in page(answer)
        assert answer.status_code == 200
    assert User.objects.count() == 1


def test_a_name_typed_with_separate_accents_is_kept_composed(client):
    sign_up(client, "Jose\u0301", email="jose@example.org")
    assert User.objects.get().username == "José"
    User.objects.get().set_address("jose@example.org", known=True)
    sign_in(client, "Jose\u0301")
    assert signed_in(client)


def test_a_name_taken_between_check_and_save_is_a_mistake_in_the_form(client, monkeypatch):
    member("Paul")
    monkeypatch.setattr(Adapter, "clean_username", lambda self, name, shallow=False: name)
    for name in ("Paul", "pau1"):
        answer = sign_up(client, name, email="else@example.org")
        assert answer.status_code == 200
        assert "taken a moment ago" in page(answer)
        assert 'value="else@example.org"' in page(answer)
    assert EmailAddress.objects.count() == 1
    assert mail.outbox == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.races
def test_six_at_once_want_one_name_and_one_gets_it(settings):
    confirm(settings, "off")
    together, answers = threading.Barrier(6, timeout=PATIENCE), []

    def want(name, n):
        client = Client()
        together.wait()
        answers.append(sign_up(client, name, email=f"{n}@example.org").status_code)
        connection.close()

    names = ["Paul", "paul", "pau1", "p-aul", "PAUL", "Pàul"]
    threads = [threading.Thread(target=want, args=pair[::-1]) for pair in enumerate(names)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 5 + [302]
    assert User.objects.count() == EmailAddress.objects.count() == 1


def test_a_program_that_fills_in_every_field_gets_the_usual_answer_and_no_account(client):
    shown = client.get(reverse("account_signup")).content.decode()
    assert '<input name="leave_empty"' in shown
    answer = sign_up(client, leave_empty="https://spam.example")
    assert answer["Location"] == reverse("account_email_verification_sent")
    assert not User.objects.exists()
    assert mail.outbox == []


def test_a_form_cannot_give_rights(client):
    sign_up(client, is_staff="1", is_superuser="1", is_moderator="1")
    user = User.objects.get()
    assert not (user.is_staff or user.is_superuser or user.is_moderator)


# --- Not telling who has an account --------------------------------------------------------------


def test_signing_up_with_a_known_address_looks_like_any_other(client):
    member("member-a")
    fresh = sign_up(Client(), "member-b", email="fresh@example.org")
    other = Client()
    taken = sign_up(other, "member-c", email="member-a@example.org")
    assert (taken.status_code, taken["Location"]) == (fresh.status_code, fresh["Location"])
    assert taken.content == fresh.content
    assert [sent.to for sent in mail.outbox] == [["fresh@example.org"], ["member-a@example.org"]]
    assert "There is one already" in mail.outbox[1].body
    shown = page(other.get(taken["Location"]))
    visitor = Client()
    sign_up(visitor, "member-d", email="member-d@example.org")
    assert shown.replace("member-a@", "X@") == page(visitor.get(fresh["Location"])).replace(
        "member-d@", "X@"
    )
    assert not User.objects.filter(username="member-c").exists()


def test_asking_for_a_reset_looks_the_same_for_everybody():
    member("member-a")
    answers = {}
    for address in ("member-a@example.org", "nobody@example.org"):
        visitor = Client()
        sent = visitor.post(reverse("account_reset_password"), {"email": address})
        shown = page(visitor.get(sent["Location"]))
        answers[address] = (sent.status_code, sent["Location"], sent.content, shown)
    assert len(set(answers.values())) == 1
    assert "Set it here" in mail.outbox[0].body
    assert "There is none" in mail.outbox[1].body


@pytest.mark.parametrize("login", ["member-a", "member-b", "x@example.org", "member-a@example.org"])
def test_a_wrong_password_is_answered_alike(client, login):
    member("member-a")
    shown = page(sign_in(client, login, "wrong horse 1")).replace(login, "LOGIN")
    assert "do not fit together" in shown
    assert shown == page(sign_in(client, "nobody", "wrong horse 1")).replace("nobody", "LOGIN")


def test_asking_for_the_link_again_looks_the_same_for_everybody():
    member("member-a")
    member("member-b", known=False)
    shown, bodies = set(), []
    for address in ("member-a", "member-b", "member-c"):
        answer = Client().post(reverse("account_resend"), {"email": f"{address}@example.org"})
        assert answer.status_code == 200
        shown.add(page(answer).replace(address, "X"))
        bodies.append(mail.outbox[-1].body)
    assert len(shown) == 1
    assert len(mail.outbox) == 3
    assert "There is one already" in bodies[0]
    assert "Confirm" in mail.outbox[1].subject
    assert "There is none" in bodies[2]
    Client().post(link(mail.outbox[1]))
    assert EmailAddress.objects.filter(verified=True).count() == 2


def test_the_link_is_sent_again_at_most_once_in_three_minutes(client):
    member("member-b", known=False)
    first, second = (
        client.post(reverse("account_resend"), {"email": "member-b@example.org"}) for _ in "12"
    )
    assert len(mail.outbox) == 1
    assert page(first) == page(second)


# --- Limits ---------------------------------------------------------------------------------------


def test_too_many_requests_get_a_page_of_ours(client):
    for n in range(10):
        client.post(reverse("account_resend"), {"email": f"{n}@example.org"})
    answer = client.post(reverse("account_resend"), {"email": "more@example.org"})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert "Too much at once" in page(answer)
    assert len(mail.outbox) == 10


def test_one_mailbox_gets_five_reset_links_an_hour():
    member("member-a")
    codes = [
        Client().post(reverse("account_reset_password"), {"email": address}).status_code
        for address in ["member-a@example.org"] * 5 + ["Member-A@example.org"]
    ]
    assert codes == [302] * 5 + [429]
    assert len(mail.outbox) == 5


def test_guessing_a_password_ends_after_five_attempts(client):
    member("member-a")
    for _ in range(5):
        assert "do not fit" in page(sign_in(client, password="wrong horse 1"))
    locked = sign_in(client)
    assert "Too many wrong passwords" in page(locked)
    assert (locked.status_code, locked["Retry-After"]) == (429, "300")
    assert not signed_in(client)
    cache.clear()
    sign_in(client)
    assert signed_in(client)


def test_a_name_is_locked_for_the_network_that_guesses_and_for_no_other(client):
    member("member-a")
    guesser = Client(REMOTE_ADDR="192.0.2.1")
    for name in ("member-a", "MEMBER-A", *["member-a"] * 3):
        assert "do not fit" in page(sign_in(guesser, name, password="wrong horse 1"))
    assert "Too many wrong passwords" in page(sign_in(guesser))
    sign_in(client)
    assert signed_in(client), "whoever guesses must not keep the member out"


def test_a_name_is_slowed_when_many_networks_guess_and_opens_within_a_minute(client, monkeypatch):
    member("member-a")
    for n in range(30):
        sign_in(Client(REMOTE_ADDR=f"192.0.2.{n}"), password="wrong horse 1")
    one_more = sign_in(Client(REMOTE_ADDR="192.0.2.99"), password="wrong horse 1")
    assert "for this name" in page(one_more)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    sign_in(client)
    assert signed_in(client)


@pytest.mark.parametrize(
    ("ahead", "locked"),
    [
        pytest.param(timedelta(hours=2), False, id="by hours"),
        pytest.param(timedelta(seconds=30), True, id="by seconds"),
    ],
)
def test_tries_that_a_clock_counts_ahead_of_time_lock_nobody_out(client, ahead, locked):
    """Whether the clock was set back since or is another worker's; a little is no wrong clock."""
    member("member-a")
    with time_machine.travel(timezone.now() + ahead, tick=False):
        for _ in range(6):
            sign_in(client, password="wrong horse 1")
        assert not signed_in(client)
    sign_in(client)
    assert signed_in(client) is not locked
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        sign_in(client)
        assert signed_in(client)


@pytest.mark.parametrize("addresses", [False, True])
def test_failed_sign_ins_leave_a_line_without_the_name(client, settings, caplog, addresses):
    settings.LOG_ADDRESSES = addresses
    member("member-a")
    for name in ("member-a", "Member-A", "member-b"):
        sign_in(Client(REMOTE_ADDR="192.0.2.7"), name, password="wrong horse 1")
    lines = [record.getMessage() for record in caplog.records if record.name == "accounts"]
    assert len(lines) == 3
    assert lines[0] == lines[1] != lines[2]
    assert not re.search("(?i)member|horse", "".join(lines))
    assert all(("192.0.2.7" in line) is addresses for line in lines)
    for _ in range(4):
        sign_in(Client(REMOTE_ADDR="192.0.2.7"), password="wrong horse 1")
    lines = [record.getMessage() for record in caplog.records if record.name == "accounts"]
    assert "locked" in lines[-1]


def test_the_way_of_a_wrong_password_of_somebody_signed_in_leaves_a_line(client, caplog):
    member("member-a")
    sign_in(client)
    client.post(reverse("account_reauthenticate"), {"password": "wrong horse 1"})
    assert "sign-in failed" in caplog.text


# --- Passwords ------------------------------------------------------------------------------------

BLANK = [
    *("        ", "\u200b" * 12, "\u3164" * 9, "\ufe0f" * 9),
    "\u2060 \u00a0\u3000\u200d \ufeff\u00ad ",
]
LONG = "aB3" * 1366  # 4,098 characters


@pytest.fixture
def hashed(monkeypatch):
    """The lengths of all passwords that were hashed."""
    seen, encode = [], MD5PasswordHasher.encode

    def encoding(self, password, salt):
        seen.append(len(password))
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", encoding)
    return seen


@pytest.mark.parametrize("password", [*BLANK, LONG])
def test_no_form_takes_blanks_or_endless_passwords(client, hashed, password):
    says = "at most 4,096" if password is LONG else "can be seen"
    assert says in page(sign_up(client, password1=password))
    assert not User.objects.exists()
    user = member("member-a")
    client.post(reverse("account_reset_password"), {"email": "member-a@example.org"})
    assert says in page(set_password(client, link(mail.outbox[0]), password))
    sign_in(client)
    assert signed_in(client)
    fields = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    assert says in page(client.post(reverse("account_change_password"), fields))
    chief = member("chief", is_staff=True, is_superuser=True)
    desk = Client()
    desk.force_login(chief)
    fields = {"password1": password, "password2": password, "usable_password": "true"}
    assert says in page(
        desk.post(reverse("admin:auth_user_password_change", args=[user.pk]), fields)
    )
    fields |= {"username": "member-c", "email": ""}
    assert says in page(desk.post(reverse("admin:accounts_user_add"), fields))
    assert User.objects.count() == 2
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert max(hashed) <= 4_096


def test_endless_passwords_are_refused_before_they_are_hashed(client, hashed):
    member("member-a")
    for name in ("member-a", "member-a@example.org", "nobody-here"):
        assert "do not fit" in page(sign_in(client, name, password=LONG))
    sign_in(client)
    assert "not your password" in page(
        client.post(reverse("account_reauthenticate"), {"password": LONG})
    )
    fields = {"oldpassword": LONG, "password1": "another horse 8", "password2": "another horse 8"}
    assert "not your present" in page(client.post(reverse("account_change_password"), fields))
    assert not User.objects.get().check_password(LONG)
    assert max(hashed) <= 4_096


def test_limits_are_counted_where_all_workers_see_them(settings, client):
    member("member-a")
    sign_in(client, password="wrong horse 1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM jonbar_cache WHERE cache_key LIKE %s", ["%rl:%"])
        assert cursor.fetchone()[0] > 0


# --- Signing in and out ---------------------------------------------------------------------------


def test_the_session_is_a_new_one_after_signing_in(client):
    member("member-a")
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    sign_in(client)
    assert client.session.session_key != before


@pytest.mark.parametrize(("box", "ends"), [("", True), ("on", False)])
def test_the_box_decides_whether_the_session_ends_with_the_browser(client, box, ends):
    member("member-a")
    sign_in(client, **({"remember": box} if box else {}))
    assert client.session.get_expire_at_browser_close() is ends


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "http:///evil.example",
        "javascript:alert(1)",
        "http://testserver/boards/",
        "https://debates.example/",
    ],
)
def test_one_is_never_sent_elsewhere(client, elsewhere):
    member("member-a")
    assert sign_in(client, next=elsewhere)["Location"] == "/"
    answer = client.post(reverse("account_logout"), {"next": elsewhere})
    assert answer["Location"] == "/"


def test_one_is_sent_back_to_where_one_was(client):
    member("member-a")
    assert sign_in(client, next="/boards/after-1900/?page=2")["Location"] == (
        "/boards/after-1900/?page=2"
    )


def test_a_link_does_not_sign_out(client):
    member("member-a")
    sign_in(client)
    assert "Sign out?" in page(client.get(reverse("account_logout")))
    assert signed_in(client)
    client.post(reverse("account_logout"))
    assert not signed_in(client)


def test_a_closed_account_cannot_sign_in(client):
    member("member-a", is_active=False)
    answer = sign_in(client)
    assert not signed_in(client)
    if answer.status_code == 302:
        assert "closed" in page(client.get(answer["Location"]))


# --- Password -------------------------------------------------------------------------------------


def test_a_forgotten_password_is_replaced_and_every_device_signed_out(client):
    member("member-a")
    elsewhere = Client()
    sign_in(elsewhere)
    client.post(reverse("account_reset_password"), {"email": "member-a@example.org"})
    path = link(mail.outbox[0])
    assert set_password(client, path).status_code == 302
    assert "Your password was reset" in mail.outbox[1].subject
    assert elsewhere.get(reverse("settings")).status_code == 302
    assert "do not fit" in page(sign_in(Client()))
    sign_in(client, password="another horse 8")
    assert signed_in(client)
    assert "This link does not work" in page(set_password(Client(), path))


def change_password(user):
    user.set_password("third horse 7")
    user.save()


def change_address(user):
    user.set_address("new@example.org", known=True)


@pytest.mark.parametrize("change", [change_password, change_address])
def test_a_reset_link_dies_when_password_or_address_changes(client, change):
    user = member("member-a")
    client.post(reverse("account_reset_password"), {"email": "member-a@example.org"})
    path = link(mail.outbox[0])
    change(user)
    assert "This link does not work" in page(set_password(client, path))
    user.refresh_from_db()
    assert not user.check_password("another horse 8")


def test_a_reset_form_that_was_open_dies_with_its_link(client):
    user = member("member-a")
    client.post(reverse("account_reset_password"), {"email": "member-a@example.org"})
    form = client.get(link(mail.outbox[0]))["Location"]
    change_address(user)
    answer = client.post(form, {"password1": "another horse 8", "password2": "another horse 8"})
    assert "This link does not work" in page(answer)


def test_changing_the_password_needs_the_old_one_and_signs_out_everywhere(client):
    member("member-a")
    elsewhere = Client()
    sign_in(elsewhere)
    sign_in(client)
    form = {"password1": "another horse 8", "password2": "another horse 8"}
    wrong = client.post(reverse("account_change_password"), {**form, "oldpassword": "wrong"})
    assert "not your present password" in page(wrong)
    client.post(reverse("account_change_password"), {**form, "oldpassword": PASSWORD})
    assert not signed_in(client)
    assert elsewhere.get(reverse("settings")).status_code == 302
    new_device, told = mail.outbox
    assert "with a browser that it was not used with before" in new_device.body
    assert told.to == ["member-a@example.org"]
    assert "was changed" in told.body


# --- Address --------------------------------------------------------------------------------------


def test_a_new_address_waits_for_its_link_and_the_old_one_is_told(client):
    user = member("member-a")
    sign_in(client)
    new_address(client)
    user.refresh_from_db()
    assert user.email == "member-a@example.org"
    assert "takes its place" in page(client.get(reverse("account_email")))
    asked = mail.outbox.pop()
    assert asked.to == ["new@example.org"]
    client.post(link(asked))
    user.refresh_from_db()
    assert user.email == "new@example.org"
    assert [row.email for row in EmailAddress.objects.all()] == ["new@example.org"]
    (told,) = mail.outbox
    assert told.to == ["member-a@example.org"]
    assert "from member-a@example.org to new@example.org" in told.body


def test_an_address_never_confirmed_is_replaced_at_once(client, settings):
    confirm(settings, "optional")
    user = member("member-a", known=False)
    sign_in(client)
    cache.clear()
    new_address(client)
    user.refresh_from_db()
    assert user.email == "new@example.org"
    assert mail.outbox[-1].to == ["new@example.org"]


def test_a_device_left_open_does_not_give_the_address_away(client):
    member("member-a")
    sign_in(client)
    asked = client.post(reverse("account_email"), {"email": "evil@example.org", "action_add": ""})
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    assert "Your password, please" in page(client.get(asked["Location"]))
    assert "not your password" in page(client.post(asked["Location"], {"password": "wrong"}))
    assert not EmailAddress.objects.filter(email="evil@example.org").exists()
    assert mail.outbox == []


def test_off_refuses_an_address_that_another_account_has(client, settings):
    confirm(settings, "off")
    member("member-a", known=False)
    member("member-b", known=False)
    sign_in(client)
    answer = client.post(
        reverse("account_email"), {"email": "member-b@example.org", "action_add": ""}
    )
    assert "Another account has this address" in page(answer)


# --- Mail -----------------------------------------------------------------------------------------


def test_a_planted_host_gets_no_mail_and_no_link(settings):
    settings.SITE_URL = ""
    member("member-a")
    asked = {"email": "member-a@example.org"}
    answer = Client(headers={"host": "evil.example"}).post(reverse("account_reset_password"), asked)
    assert answer.status_code == 400
    assert mail.outbox == []
    Client(headers={"host": "localhost", "x-forwarded-host": "evil.example"}).post(
        reverse("account_reset_password"), asked
    )
    assert "http://localhost/accounts/" in mail.outbox[0].body
    assert "evil" not in mail.outbox[0].body


def test_mails_are_plain_text_and_signed_by_the_site(client, settings):
    settings.SITE_NAME = "What & If"
    sign_up(client)
    body = mail.outbox[0].body
    assert body.rstrip().endswith(f"What & If\n{SITE}/")
    assert "&amp;" not in body
    assert mail.outbox[0].content_subtype == "plain"


def test_a_mail_server_that_fails_costs_a_message_not_the_page(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nothing listens there
    answer = sign_up(client)
    assert answer.status_code == 302
    assert "could not be sent" in page(client.get(answer["Location"]))
    assert User.objects.exists()


# --- Settings -------------------------------------------------------------------------------------

CHOICES = {"about": "Railways.", "view": "tree", "posts_per_page": "50", "theme": "dark"}


def test_settings_are_for_members(client):
    answer = client.get(reverse("settings"))
    assert answer["Location"] == f"{reverse('account_login')}?next={reverse('settings')}"


def test_settings_save_their_own_fields_and_no_others(client, monkeypatch):
    user = member("member-a")
    sign_in(client)
    saved = []
    save = User.save

    def spy(self, *args, **kwargs):
        saved.append(kwargs.get("update_fields"))
        return save(self, *args, **kwargs)

    monkeypatch.setattr(User, "save", spy)
    sent = {**CHOICES, "time_zone": "Europe/Madrid", "is_superuser": "1", "username": "root"}
    assert client.post(reverse("settings"), sent)["Location"] == reverse("settings")
    assert [sorted(fields) for fields in saved] == [
        ["about", "explain_terms", "posts_per_page", "theme", "time_zone", "view", "watch_written"]
    ]
    user.refresh_from_db()
    assert (user.view, user.posts_per_page, user.theme) == ("tree", 50, "dark")
    assert user.time_zone == "Europe/Madrid"
    assert not user.is_superuser
    shown = page(client.get(reverse("settings")))
    assert 'data-theme="dark"' in shown
    assert "Railways." in shown


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("time_zone", "Mars/Olympus", "no time zone we know"),
        ("posts_per_page", "100000", "Select a valid choice"),
        ("theme", "purple", "Select a valid choice"),
        ("about", "x" * 301, "at most 300"),
        ("about", "a\x00b", "Null characters"),
    ],
)
def test_settings_say_what_is_wrong_and_keep_what_was_typed(client, field, value, sentence):
    user = member("member-a")
    sign_in(client)
    answer = client.post(reverse("settings"), {**CHOICES, field: value})
    shown = page(answer)
    assert sentence in shown
    assert f'aria-describedby="id_{field}_error' in shown
    if field == "time_zone":
        assert value in shown
    assert 'data-theme="auto"' in shown, "the page shows what is stored"
    user.refresh_from_db()
    assert user.view == "flat"


# --- Without mail, and the desk -------------------------------------------------------------------


def test_an_administrator_made_on_the_command_line_needs_no_mail(client, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command(
        "createsuperuser",
        interactive=False,
        username="keeper",
        email="Keeper@example.org",
        stdout=StringIO(),
    )
    sign_in(client, "keeper@example.org")
    assert signed_in(client)
    assert client.get(reverse("admin:index")).status_code == 200


def test_the_desk_is_entered_through_the_limited_door(client):
    answer = client.get(reverse("admin:login"))
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.fixture
def keeper(client):
    user = member("keeper", is_staff=True, is_superuser=True)
    sign_in(client, "keeper")
    return user


def admin_form(client, user, **changes) -> dict:
    """What the browser would send from the member's page at the desk."""
    fields = client.get(reverse("admin:accounts_user_change", args=[user.pk])).context["adminform"]
    sent = {name: value for name, value in fields.form.initial.items() if value not in (None, "")}
    sent = {name: value for name, value in sent.items() if value is not False}
    return {**sent, **changes}


def test_moderators_do_not_touch_members(client):
    other = member("member-b")
    member("mod-one", is_staff=True, is_moderator=True)
    sign_in(client, "mod-one")
    for name, args in (
        ("changelist", []),
        ("add", []),
        ("change", [other.pk]),
        ("delete", [other.pk]),
    ):
        address = reverse(f"admin:accounts_user_{name}", args=args)
        for answer in (client.get(address), client.post(address, {"email": "evil@example.org"})):
            assert answer.status_code in (302, 403, 404)
    answer = client.post(
        reverse("admin:auth_user_password_change", args=[other.pk]),
        {"password1": "evil horse 66", "password2": "evil horse 66"},
    )
    assert answer.status_code in (302, 403, 404)
    other.refresh_from_db()
    assert other.email == "member-b@example.org"
    assert other.check_password(PASSWORD)


def test_an_address_set_at_the_desk_counts_as_known_and_kills_the_reset_link(client, keeper):
    user = member("member-b", known=False)
    Client().post(reverse("account_reset_password"), {"email": "member-b@example.org"})
    path = link(mail.outbox[0])
    client.post(
        reverse("admin:accounts_user_change", args=[user.pk]),
        admin_form(client, user, email="new@example.org"),
    )
    user.refresh_from_db()
    assert user.email == "new@example.org"
    assert EmailAddress.objects.get(user=user).verified
    assert "This link does not work" in page(set_password(Client(), path))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("Keeper", "taken"), ("kee_per", "looks too much like"), ("admin", "reserved")],
)
def test_names_that_nobody_may_have_are_refused_at_the_desk(client, keeper, name, sentence):
    account = {
        "username": name,
        "email": "member-b@example.org",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    answer = client.post(reverse("admin:accounts_user_add"), account)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()


def test_an_address_of_another_is_refused_at_the_desk(client, keeper):
    user = member("member-b")
    answer = client.post(
        reverse("admin:accounts_user_change", args=[user.pk]),
        admin_form(client, user, email="keeper@example.org"),
    )
    assert answer.status_code == 200
    assert "Another account" in answer.content.decode()


def test_the_desk_finds_members_and_makes_them_but_deletes_none(client, keeper):
    client.post(
        reverse("admin:accounts_user_add"),
        {
            "username": "member-c",
            "email": "member-c@example.org",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )
    made = User.objects.get(username="member-c")
    visitor = Client()
    sign_in(visitor, "member-c@example.org")
    assert signed_in(visitor)
    found = client.get(reverse("admin:accounts_user_changelist"), {"q": "member-c@"})
    assert "member-c" in found.content.decode()
    delete = reverse("admin:accounts_user_delete", args=[made.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=made.pk).exists()


def test_a_member_is_known_by_one_address(client):
    member("member-a")
    with pytest.raises(Exception, match="Another account"):
        member("member-b").set_address("member-a@example.org", known=True)
