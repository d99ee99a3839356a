"""A job that an older version queued is done, whatever its task is called by now."""

import re

import pytest
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from core.tasks import Task
from forum.models import Job, Notice
from forum.outbox.renamed_tasks import RENAMED
from forum.outbox.worker import Worker
from tests.people import reply

# Every name under which a task was ever queued. A name is added to it, and none is taken out.
QUEUED = (
    "forum.actions.bookmarks.remind",
    "forum.actions.joining.mail_decision",
    "forum.actions.joining.tell",
    "forum.actions.notices.recount_readers",
    "forum.actions.pictures.make_ready",
    "forum.actions.polls.draw_anew",
    "forum.actions.post_notices.notify_of_post",
    "forum.actions.post_notices.notify_watchers",
    "forum.actions.telling.tell_of_post",
    "forum.actions.telling.tell_watchers",
    "forum.actions.tiles.cut",
    "forum.mailing.delivering.gather",
    "forum.mailing.delivering.send",
    "forum.mailing.guests.mail_outcome",
    "forum.mailing.guests.send_outcome",
    "forum.mailing.guests.send_receipt",
    "forum.mailing.guests.tell_outcome",
    "forum.moderation.closing.close_when_due",
    "forum.own_data.asking.make",
    "forum.search.index.write_thread",
)


def declared() -> set[str]:
    """The names of all tasks that the forum declares now."""
    found = set()
    for wing in ("accounts", "core", "forum"):
        for path in (settings.BASE_DIR / wing).rglob("*.py"):
            module = ".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts)
            for name in re.findall(r"^@task\b.*\ndef (\w+)", path.read_text(), re.MULTILINE):
                found.add(f"{module}.{name}")
    return found


def test_every_name_that_was_ever_queued_leads_to_a_task():
    assert declared() - set(QUEUED) == set(), "a new task: its name joins those above"
    assert set(RENAMED) <= set(QUEUED)
    for name in QUEUED:
        assert isinstance(import_string(RENAMED.get(name, name)), Task), name


@pytest.mark.django_db
def test_what_was_queued_under_an_old_name_is_done(thread, opener, answerer):
    post = reply(thread, answerer, "The party would have split.")
    Job.objects.all().delete()
    Notice.objects.all().delete()
    old = {"queue": "default", "run_after": timezone.now()}
    for task, args in (("tell_of_post", {"watchers": False}), ("tell_watchers", {"after": 0})):
        payload = {"args": [post.pk], "kwargs": args}
        Job.objects.create(task=f"forum.actions.telling.{task}", payload=payload, **old)
    assert Worker().drain() >= 2
    assert not Job.objects.filter(task__startswith="forum.actions").exists()
    notice = Notice.objects.get(member=opener)
    assert (notice.post, notice.reasons) == (post, "reply")
