"""What a mail service tells of mails that came back."""

from base64 import b64encode

import pytest

from forum.models import MailSettings
from tests.people import browser

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.mailing.webhook_urls"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SECRET = "service:a-long-secret"


@pytest.fixture
def tell(settings, answerer):
    """Tell, as one of the services does, of a mail to the answerer; returns the status."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}

    def post(kind: str, record="Bounce", secret=SECRET) -> int:
        told = {
            "RecordType": record,
            "Type": kind,
            "Email": answerer.email,
            "MessageID": "1",
            "ID": 1,
            "BouncedAt": "2026-11-28T08:00:00Z",
        }
        return (
            browser()
            .post(
                "/mail/webhooks/postmark/tracking/",
                told,
                content_type="application/json",
                headers={"authorization": f"Basic {b64encode(secret.encode()).decode()}"},
            )
            .status_code
        )

    return post


@pytest.mark.parametrize(
    ("kind", "record"), [("HardBounce", "Bounce"), ("SpamComplaint", "SpamComplaint")]
)
def test_mail_that_came_back_for_good_stops_mail(tell, answerer, kind, record):
    assert tell(kind, record) == 200
    assert MailSettings.objects.get().bounced == answerer.email


@pytest.mark.parametrize("kind", ["AutoResponder", "Transient", "DnsError"])
def test_mail_that_was_only_late_does_not(tell, kind):
    assert tell(kind) == 200
    assert not MailSettings.objects.exists()


def test_nobody_else_tells_of_it(tell):
    assert tell("HardBounce", secret="service:guessed") == 400
    assert not MailSettings.objects.exists()


def test_a_site_that_asks_for_none_has_no_such_address(settings):
    settings.ROOT_URLCONF = "forum.urls"
    assert browser().post("/mail/webhooks/postmark/tracking/").status_code == 404
