"""A check by several processes finds what one finds; one that was interrupted is taken up again."""

import os
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError

import forum.checking
from accounts.models import SiteVersion
from forum import checking
from forum.checking import check, course
from forum.models import Thread
from tests.people import reply, start


@pytest.fixture
def debates(transactional_db, board, opener, answerer, monkeypatch) -> list[Thread]:
    """Six debates, of which the second, third and fifth count wrongly, and a member who does."""
    monkeypatch.setattr(checking, "PART", 1)  # each debate is a part of its own
    made = [start(board, opener, f"What if {n} ships came") for n in range(6)]
    for thread in made:
        reply(thread, answerer, "They came late.")
    for wrong in (made[1], made[2], made[4]):
        Thread.objects.filter(pk=wrong.pk).update(reply_count=7)
    answerer.unread_notices = 5
    answerer.save(update_fields=["unread_notices"])
    yield made
    course.forget()


def run(*options: str) -> tuple[str, str]:
    """What a check says, and with what it ends."""
    out = StringIO()
    try:
        call_command("check_forum", *options, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def interrupt_at(monkeypatch, thread: Thread, how) -> None:
    """Let the next check be interrupted where it comes to a debate."""
    real = forum.checking.check_thread

    def interrupted(pk, *, fix):
        if pk == thread.pk:
            how()
        return real(pk, fix=fix)

    monkeypatch.setattr(forum.checking, "check_thread", interrupted)


def ctrl_c() -> None:
    raise KeyboardInterrupt


def test_several_processes_find_what_one_finds_in_the_same_order(debates):
    alone = run("--quick")
    assert len(alone[0].splitlines()) == 5
    assert alone[1].startswith("4 faults stand")
    assert run("--quick", "--jobs", "3") == alone
    assert run("--jobs", "2") == run()


def test_several_processes_heal_what_one_heals(debates):
    found = [str(fault) for fault in check(fix=True)]
    for wrong in (debates[1], debates[2], debates[4]):
        Thread.objects.filter(pk=wrong.pk).update(reply_count=7)
    assert [str(fault) for fault in check(fix=True, jobs=3)] == found[:3]
    assert list(check()) == []


def test_an_interrupted_check_is_taken_up_where_it_was(debates, monkeypatch):
    whole, ending = run("--quick")
    with monkeypatch.context() as patch:
        interrupt_at(patch, debates[3], ctrl_c)
        first, why = run("--quick")
    assert why == "Interrupted. To go on where it was: manage.py check_forum --resume"
    looked_at = []
    with monkeypatch.context() as patch:
        for thread in debates:
            interrupt_at(patch, thread, lambda pk=thread.pk: looked_at.append(pk))
        second = run("--resume")
    assert looked_at == [thread.pk for thread in debates[3:]]
    assert (first + second[0], second[1]) == (whole, ending)
    assert "No check was interrupted" in run("--resume")[1]


def test_what_is_found_again_is_counted_once(debates, monkeypatch):
    """A debate whose fault was told before the interruption, of a part that was not through."""
    _, ending = run()
    monkeypatch.setattr(checking, "PART", 4)  # two debates of two posts
    with monkeypatch.context() as patch:
        interrupt_at(patch, debates[3], ctrl_c)
        first, _ = run()
    assert len(first.splitlines()) == 2
    assert run("--resume")[1] == ending


def test_what_was_healed_before_the_interruption_is_counted(debates, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, debates[3], ctrl_c)
        run("--fix")
    out, why = run("--resume", "--jobs", "2")
    assert why == ""
    assert out.endswith("4 faults were healed.\n")
    assert list(check()) == []


def test_a_process_that_is_killed_ends_the_check_and_not_its_findings(debates, monkeypatch):
    whole, ending = run("--quick")
    with monkeypatch.context() as patch:
        interrupt_at(patch, debates[3], lambda: os._exit(9))
        first, why = run("--quick", "--jobs", "2")
    assert "ended from outside" in why
    assert "manage.py check_forum --resume --jobs 2" in why
    second = run("--resume", "--jobs", "2")
    assert (first + second[0], second[1]) == (whole, ending)


def test_what_goes_wrong_in_a_process_is_told(debates, monkeypatch):
    def fail() -> None:
        raise ValueError("a strange row")

    interrupt_at(monkeypatch, debates[3], fail)
    assert "a strange row" in run("--jobs", "2")[1]


def test_options_that_do_not_fit_are_refused(debates, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_at(patch, debates[3], ctrl_c)
        run("--quick")
    assert "begun with other options" in run("--resume", "--fix")[1]
    assert "from 1 to 64" in run("--jobs", "0")[1]
    run("--thread", str(debates[0].pk))
    assert run("--resume")[1].startswith("4 faults stand"), "one debate is a check of its own"


def test_where_nothing_can_be_noted_it_says_so(debates, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path / "missing")
    interrupt_at(monkeypatch, debates[3], ctrl_c)
    assert run()[1] == "Interrupted. How far it was could not be noted: run it again."


def test_an_older_check_is_not_taken_up_in_place_of_one_that_was_killed(debates, monkeypatch):
    """A killed one leaves what stands in its file from its first moment on."""
    course.Course(fix=False).reach(10**9)  # interrupted long ago, near its end
    begun = []

    def killed(**how):
        begun.append(course.interrupted())
        yield from ()

    monkeypatch.setattr("forum.management.commands.check_forum.check", killed)
    run("--fix")
    assert (begun[0].fix, begun[0].after) == (True, 0)


@pytest.mark.parametrize("options", [["--fix"], ["--resume"]])
def test_what_a_killed_check_healed_is_not_shown_as_it_was_kept(debates, monkeypatch, options):
    """Killed, it says nothing any more; whoever looks after it finds nothing left to heal."""

    def killed(**how):
        list(check(fix=True))
        raise SystemExit(9)  # as far as its file goes: nothing is noted, no version raised

    with monkeypatch.context() as patch:
        patch.setattr("forum.management.commands.check_forum.check", killed)
        with pytest.raises(SystemExit):
            run("--fix")
    assert course.interrupted() is not None
    before = site_version()
    assert run(*options)[1] == ""
    assert site_version() > before


def test_a_check_that_fails_has_pages_drawn_anew_after_what_it_healed(debates, monkeypatch):
    def fail() -> None:
        raise ValueError("a strange row")

    interrupt_at(monkeypatch, debates[3], fail)
    before = site_version()
    with pytest.raises(ValueError, match="strange"):
        run("--fix")
    assert site_version() > before


def site_version() -> int:
    return SiteVersion.objects.values_list("number", flat=True).filter(pk=1).first() or 0


def test_a_database_that_goes_away_takes_no_advice_with_it(db, monkeypatch):
    def away(*args, **named):
        raise OperationalError("the connection is gone")

    for name in ("check", "raise_site_version"):
        monkeypatch.setattr(f"forum.management.commands.check_forum.{name}", away)
    said = StringIO()
    try:
        with pytest.raises(OperationalError):
            call_command("check_forum", fix=True, stderr=said)
    finally:
        course.forget()
    assert "--resume" in said.getvalue()
