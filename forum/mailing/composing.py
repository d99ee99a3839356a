"""What a mail says: its lines, its two forms, and how mail programs put it beside others."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from forum.text.markup import words_without_spoilers

from ..models import Mail, Notice, Post, Rhythm, Thread
from ..permissions import may
from ..rendering.notices import single_lines
from . import stopping
from .topics import TOPICS, topic_of

LONGEST_SUBJECT = 150
WORDS = 800  # characters of a post; who wants more follows the link
WIDTH = 72  # of plain text that is quoted


@dataclass(frozen=True, slots=True)
class MailLine:
    """One notice as its member may read it now: `thread` and `href` are where it happened."""

    mail: Mail
    sentence: str
    reason: str = ""
    thread: Thread | None = None
    href: str = ""
    words: str = ""

    @property
    def quoted(self) -> str:
        """The words as a plain mail quotes them."""
        paragraphs = (
            wrap(part, WIDTH, break_long_words=False, break_on_hyphens=False)
            for part in self.words.split("\n")
        )
        lines = [line for part in paragraphs for line in (part or [""])]
        return "\n".join(f"> {line}".rstrip() for line in lines)


def lines_of(mails: Sequence[Mail]) -> list[MailLine]:
    """A line for each mail whose member may still read what it tells. Rights are those of now,
    whatever they were when the notice was written."""
    acts = [mail.notice_id for mail in mails if mail.notice.entry_id]
    notices = Notice.objects.for_listing().in_bulk(acts)
    posts = _posts_of([mail for mail in mails if not mail.notice.entry_id])
    found = (
        _line(mail, notices.get(mail.notice_id))
        if mail.notice.entry_id
        else posts.get(mail.notice_id)
        for mail in mails
    )
    return [line for line in found if line]


def _posts_of(mails: Sequence[Mail]) -> dict[int, MailLine]:
    """The lines of what tells one member of posts, by notice."""
    if not mails:
        return {}
    member = mails[0].member
    by_notice = single_lines(member, [mail.notice_id for mail in mails])
    rows = Post.objects.select_related("body", "thread__board")
    posts = rows.in_bulk({line.rows[0]["post"] for line in by_notice.values()})
    found = {}
    for mail in mails:
        if line := by_notice.get(mail.notice_id):
            post = posts[line.rows[0]["post"]]
            words = (
                ""
                if mail.notice.kind == Notice.Kind.MIND
                else words_without_spoilers(post.body.html, WORDS)
            )
            href = stopping.site() + line.href
            note = mail.notice.sentence  # of a reminder
            found[mail.notice_id] = MailLine(mail, line.title, note, post.thread, href, words)
    return found


def _line(mail: Mail, notice: Notice | None) -> MailLine | None:
    entry = notice.entry if notice else None
    if notice is None or entry is None:
        return None
    post, thread, user = entry.post, entry.thread, mail.member
    if post is not None:
        thread = post.thread  # where it stands now
    if thread is not None and not may(user, "see thread", thread):
        return MailLine(mail, notice.sentence, entry.reason)
    href = ""
    if post is not None and (post.number is not None or may(user, "see post", post)):
        href = stopping.site() + post.get_absolute_url()
    elif post is None and thread is not None:
        href = stopping.site() + thread.get_absolute_url()
    return MailLine(mail, notice.sentence, entry.reason, thread, href)


def compose(lines: Sequence[MailLine], message: int) -> EmailMultiAlternatives:
    """The mail with these lines, all to one member. Composed again, after a worker died, it has
    the same Message-ID, so that mail programs know it."""
    member, digest = lines[0].mail.member, lines[0].mail.rhythm != Rhythm.NOW
    topics = {topic_of(line.mail.notice) for line in lines}
    watches = {line.mail.notice.watch_id for line in lines}
    watch_id = watches.pop() if len(watches) == 1 else None
    stop = stopping.address(member, topics, watch_id)
    thread = None if digest else lines[0].thread
    context = {
        "member": member,
        "groups": _by_debate(lines),
        "digest": Rhythm(lines[0].mail.rhythm).label.lower() if digest else "",
        "topics": [label for topic, label in TOPICS.items() if topic in topics],
        "stop": stop,
        "watched": watch_id is not None,
        "choose": stopping.site() + reverse("mail-settings"),
        "site": stopping.site(),
        "site_name": settings.SITE_NAME,
    }
    context["subject"] = subject = _subject(lines, thread, digest)
    headers = {
        "Message-ID": f"<mail-{message}@{_host()}>",
        "List-Unsubscribe": f"<{stop}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }
    if thread is not None:
        # No mail has this id: it holds those about one debate together, whichever is read first.
        headers["In-Reply-To"] = headers["References"] = f"<debate-{thread.pk}@{_host()}>"
    mail = EmailMultiAlternatives(
        subject,
        render_to_string("mail/message.txt", context),
        to=[member.email],  # without the name: it may look like another address
        headers=headers,
    )
    mail.attach_alternative(render_to_string("mail/message.html", context), "text/html")
    return mail


def _by_debate(lines: Sequence[MailLine]) -> list[tuple[str, list[MailLine]]]:
    """The lines by the debate they are about, each with its title, in order of arrival."""
    groups: dict[int | None, tuple[str, list[MailLine]]] = {}
    for line in lines:
        title = line.thread.title if line.thread else ""
        groups.setdefault(line.thread.pk if line.thread else None, (title, []))[1].append(line)
    return list(groups.values())


def _subject(lines: Sequence[MailLine], thread: Thread | None, digest: bool) -> str:
    if thread is not None:
        text = thread.title  # always the same, or programs begin another conversation
    elif digest:
        span = "Today" if lines[0].mail.rhythm == Rhythm.DAY else "This week"
        text = f"{span} on {settings.SITE_NAME}: {len(lines)} notice{'s' * (len(lines) > 1)}"
    else:
        text = lines[0].sentence
    text = " ".join(text.split())  # a line break would begin another header
    return text if len(text) <= LONGEST_SUBJECT else text[: LONGEST_SUBJECT - 1] + "…"


def _host() -> str:
    return urlsplit(stopping.site()).hostname or "localhost"
