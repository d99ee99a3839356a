"""What a kept forum holds beside the world of the acts, so that every table has a row in it."""

from django.test import Client, override_settings
from django.utils import timezone

from forum.actions import arguments, boards, cases, members, pages, threadmarks, variants, watching
from forum.mailing import bounces, stopping
from forum.mailing.delivering import gather
from forum.models import Job, Mail, Notice
from forum.moderation import erasing, merging, moving, sanctions
from forum.outbox.worker import PAUSES, Worker
from tests.acts.world import World
from tests.people import fresh, make_member, reply, start


def add_the_rest(w: World) -> None:
    """See each part; the last one lets the worker tell, mail and fail."""
    _add_arguments_and_marks(w)
    _add_moved_and_erased(w)
    _add_members(w)
    _add_watches(w)
    _add_notices_and_work(w)


def _add_arguments_and_marks(w: World) -> None:
    opener, answerer = w.user("opener"), w.user("answerer")
    for name, category in (("b", "side"), ("c", "info"), ("d", "media")):
        threadmarks.mark(
            user=opener, post=w.post(name), category=category, label=f"The {category} part"
        )
    b, tie = w.post("b"), arguments.Tie(w.ids["question"], "disputes")
    arguments.argue(user=answerer, post=b, lane=b.lane, stance=b.stance, quotes={}, ties=[tie])
    variants.declare(user=answerer, thread=w.thread("other"), other=w.thread("main"))


def _add_moved_and_erased(w: World) -> None:
    """A debate that was split off, one that was merged, and one of which words were erased."""
    keeper, stranger = w.user("keeper"), w.user("stranger")
    e = w.post("e")
    moving.split(
        user=keeper, thread=w.thread("main"), chosen=[e.pk], title="Purges", reason="Its own."
    )
    lone = start(w.board("modern"), stranger, "What if it hailed", "It does in June, too.")
    merging.merge(user=keeper, thread=fresh(lone), into=w.thread("other"), reason="The same.")
    told = reply(w.thread("other"), stranger, "Member-a lives in Example Street 5, they say.")
    told = fresh(told)
    words, chief = "Example Street 5", w.user("chief")
    texts = erasing.find(told, words).texts
    erasing.erase(user=chief, post=told, words=words, reason="An address.", texts=texts)


def _add_members(w: World) -> None:
    chief, keeper, stranger = map(w.user, ("chief", "keeper", "stranger"))
    members.ignore(user=stranger, other=w.user("warned"), ignored=True)
    sanctions.note(user=keeper, member=w.user("warned"), text="Sells ice.")
    renamed = w.user("second")
    members.rename(user=chief, member=renamed, name="seconded", reason="As asked for.")
    closed = w.board("empty")
    boards.change(user=chief, board=closed, audience="invited")
    boards.invite(user=chief, board=w.board("empty"), members=[w.user("opener")])
    helper = make_member("helper", is_staff=True)
    boards.name_moderators(user=chief, board=w.board("empty"), members=[helper])
    pages.edit(user=chief, kind="rules", source="Be kind to those who doubt.")
    stopping.choose(stranger, {"watched": "week", "concerns": "now"})
    bounces.stop_mail(w.user("warned").email)
    Client(SERVER_NAME="localhost").force_login(stranger)


def _add_watches(w: World) -> None:
    stranger = w.user("stranger")
    for target, level in (
        (w.board("modern"), "openings"),
        (w.post("b"), "all"),
        (w.user("opener"), "all"),
        (w.thread("other"), "marks"),
    ):
        watching.watch(user=stranger, target=target, level=level)
    watching.watch_history(user=stranger, start="1900", end="1945", place="Spain")


def _add_notices_and_work(w: World) -> None:
    """Notices for each reason, an answer to an act, mails sent and waiting, work done, failed and
    still to be done."""
    opener, answerer, stranger = map(w.user, ("opener", "answerer", "stranger"))
    reply(w.thread("main"), stranger, "As @answerer says.", to=w.post("b"))
    reply(w.thread("main"), opener, "That is right.", to=w.post("d"))
    cases.answer(user=answerer, notice=Notice.objects.get(pk=w.ids["notice"]), text="It was on it.")
    Worker().drain()
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        _send_what_waits(answerer.pk)
    nobody = {"EMAIL_HOST": "localhost", "EMAIL_PORT": 1}
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend", **nobody):
        _send_what_waits(opener.pk)
        for _pause in PAUSES:
            Job.objects.filter(last_error__gt="").update(run_after=timezone.now())
            Worker().drain()
    for job in Job.objects.failed():  # less where the files of this machine are
        job.last_error = job.last_error.splitlines()[-1]
        job.save(update_fields=["last_error"])


def _send_what_waits(member_id: int) -> None:
    Mail.objects.unsettled().filter(member=member_id).update(due_at=timezone.now())
    gather.enqueue(member_id=member_id)
    Worker().drain()
