"""Values in addresses that nobody else can have written."""

import pytest
from django.core import signing

from core import signed_values


@pytest.mark.parametrize("value", [[1, None], [7, ["act"], 3], "x", {}])
def test_what_was_signed_is_read_under_its_salt_only(value):
    signed = signed_values.sign(value, salt="here")
    assert signed_values.read(signed, salt="here") == value
    with pytest.raises(signing.BadSignature):
        signed_values.read(signed, salt="there")


def test_an_address_is_the_same_whenever_it_is_made(monkeypatch):
    made = []
    for second in (0, 1):
        monkeypatch.setattr(signing.time, "time", lambda now=second: 1_800_000_000 + now)
        made.append(signed_values.sign([1], salt="here"))
    assert made[0] == made[1]


def test_old_mails_lead_where_they_led():
    assert signed_values.read(signing.dumps([1, ["act"]], salt="here"), salt="here") == [1, ["act"]]


@pytest.mark.parametrize("forged", ["", "x", ":", "a:b", "a:b:c", "a:b:c:d", "W10:\U0001f600"])
def test_what_nobody_signed_is_refused(forged):
    with pytest.raises(signing.BadSignature):
        signed_values.read(forged, salt="here")
