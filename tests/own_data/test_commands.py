"""What an operator without a browser does about an account: its data, and signing it out."""

import json
import stat
from io import StringIO
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command

from accounts import tokens
from accounts.models import ApiToken
from forum.own_data import archive
from tests.people import browser, reply


def test_all_data_of_a_member_are_written_once(thread, opener, tmp_path):
    reply(thread, opener, text="Told by letter.")
    file, out = tmp_path / "data.zip", StringIO()
    call_command("member_data", "Opener", str(file), stdout=out)
    assert str(opener) in out.getvalue()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with ZipFile(file) as packed:
        assert "Told by letter." in "".join(
            packed.read(name).decode() for name in packed.namelist() if name.startswith("posts/")
        )
        assert json.loads(packed.read("data/account.json"))[0]["username"] == "opener"
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("member_data", "opener", str(file))
    with pytest.raises(CommandError, match="no member"):
        call_command("member_data", "nobody", str(tmp_path / "other.zip"))
    assert not (tmp_path / "other.zip").exists()


def test_a_file_that_was_not_finished_is_not_left(opener, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_posts", lambda member: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call_command("member_data", "opener", str(tmp_path / "data.zip"))
    assert not list(tmp_path.iterdir())


def test_signing_out_ends_sessions_and_tokens_of_that_member_alone(opener, stranger):
    one, two = browser(opener), browser(stranger)
    for member in (opener, stranger):
        tokens.make(user=member, name="a program", scope="read")
    out = StringIO()
    call_command("sign_out", "OPENER", stdout=out)
    assert "ended: 1," in out.getvalue()
    assert one.get("/notices/").status_code == 302
    assert two.get("/notices/").status_code == 200
    assert [row.user for row in ApiToken.objects.all()] == [stranger]
    with pytest.raises(CommandError, match="no member"):
        call_command("sign_out", "nobody")
