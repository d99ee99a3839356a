"""Reports without an account (Art. 16 of the Digital Services Act): into the same cases as those of
members, with a receipt.

What anybody can send by the thousand must not say what is looked at first. A report from outside
counts for that once its address is confirmed, or where it tells of sexual abuse of children, for
which nobody has to give a name. Until then its case waits behind the others.
"""

import re
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from core import clock, proof_of_work
from core.problems import Problem
from forum.actions import cases
from forum.actions.composing import Unacceptable
from forum.actions.locking import PostMoved, locked_post
from forum.mailing import guests
from forum.models import GuestReport, Post, Report, TrustedReporter
from forum.operations import limits
from forum.permissions import Refused, may, require

from .reports import add, case_of, text_of

FORM = "report"  # what its proof of work is for
MAX_TEXT = 3000
MAX_NAME = 100
DAY = 24 * 3600
# Of reports without a proof of work, where the site asks for one: from one network, and in all.
UNPROVED_PER_DAY = 2
UNPROVED_PER_HOUR = 30
NOBODY = AnonymousUser()
POST = re.compile(r"/posts/(\d{1,18})(?:/|\Z)")
IN_THREAD = re.compile(r"/threads/(\d{1,18})(?:/|\Z)")
NOT_FOUND = (
    "There is no post at this address that everybody may read. Copy the address from “Copy link” "
    "under the post, or write to those who run the forum."
)


def sent(token: UUID) -> GuestReport | None:
    """The report that a form with this token made before."""
    return GuestReport.objects.filter(report__token=token).first()


def post_at(path: str, fragment: str) -> Post:
    """The post at an address of this site, of which this is the path and what stands after “#”; of
    a debate's address alone its opening. Raises Problem, the same for a post that visitors may not
    read as for one that never was."""
    rows = Post.objects.select_related("thread__board", "author", "merged_into__thread__board")
    found = None
    if match := re.fullmatch(r"post-(\d{1,18})", fragment) or POST.match(path):
        found = rows.filter(pk=int(match[1])).first()
    elif match := IN_THREAD.match(path):
        found = rows.filter(thread=int(match[1]), number=1).first()
    if found is not None and found.merged_into_id:
        found = found.merged_into
    if found is None or not may(NOBODY, "report from outside", found):
        raise Problem(NOT_FOUND, field="address")
    return found


def report(
    *,
    post: Post,
    reason: str,
    text: str = "",
    name: str = "",
    email: str = "",
    abuse: bool = False,
    good_faith: bool = False,
    network: str,
    proof: str = "",
    token: UUID,
) -> GuestReport:
    """Report a post from outside, from a `network` (limits.network_of), and return the report, or
    the one that this form made before. `abuse`: it tells of sexual abuse of children.

    Raises composing.Unacceptable, permissions.Refused, limits.TooOften or Problem, as for a
    `proof` (core.proof_of_work) that is wrong.
    """
    if done := sent(token):
        return done
    abuse = abuse and reason == Report.Reason.ILLEGAL
    text = text_of(reason, text, most=MAX_TEXT)
    name, email = _check(reason, text, name, email, abuse, good_faith)
    with transaction.atomic():
        proved = proof_of_work.spend(proof, FORM)
        try:
            post = locked_post(post, "author")
            require(NOBODY, "report from outside", post)
        except (Refused, PostMoved):
            raise Problem(NOT_FOUND, field="address") from None
        if done := sent(token):
            return done
        _count(network, proved)
        made = Report(reason=reason, text=text, heeded=abuse and proved, token=token)
        add(case_of(post), made)
        guest = GuestReport.objects.create(report=made, name=name, email=email, abuse=abuse)
        if email:
            guests.send_receipt.enqueue(guest.pk)
    return guest


def confirm(*, guest: GuestReport, key: str) -> GuestReport:
    """Note that whoever reported reads mail at the address, since they show the key of the mail
    that went there: the report counts, and comes first if the site trusts the address. Raises
    Problem for a wrong key."""
    if not guests.is_key(guest, key):
        raise Problem("This link is not the one of our mail, or it is too old.")
    with transaction.atomic():
        rows = GuestReport.objects.filter(pk=guest.pk, confirmed_at=None)
        if rows.update(confirmed_at=clock.now()):
            trusted = TrustedReporter.objects.has(email=guest.email)
            report = Report.objects.get(pk=guest.pk)
            report.heeded, report.trusted = True, trusted
            report.save(update_fields=["heeded", "trusted"])
            cases.weigh(report.case_id, report.gravity)
    return GuestReport.objects.get(pk=guest.pk)


def _check(
    reason: str, text: str, name: str, email: str, abuse: bool, good_faith: bool
) -> tuple[str, str]:
    """Name and address as they are kept. Raises Unacceptable for what Art. 16(2) asks and is not
    there."""
    name, email = " ".join(name.split()), email.strip().lower()
    if len(name) > MAX_NAME or not name.isprintable():
        raise Unacceptable(f"A name is one line of at most {MAX_NAME} characters.", field="name")
    if reason != Report.Reason.ILLEGAL:
        return name, email
    if not text:
        raise Unacceptable("Explain why it is against the law.", field="text")
    if not abuse and not name:
        raise Unacceptable("The law asks for your name with such a report.", field="name")
    if not abuse and not email:
        raise Unacceptable("The law asks for your mail address with such a report.", field="email")
    if not good_faith:
        raise Unacceptable(
            "Say that what you write is right as far as you know.", field="good_faith"
        )
    return name, email


def _count(network: str, proved: bool) -> None:
    sentence = "Too many posts were reported from your network today. Please go on tomorrow."
    limits.count("guest-reports", network, settings.GUEST_REPORTS_PER_DAY, sentence, within=DAY)
    if not proved:
        more = "Without JavaScript only few posts can be reported a day. " + (
            "Switch it on, or please go on tomorrow."
        )
        limits.count("unproved-reports", network, UNPROVED_PER_DAY, more, within=DAY)
        more = "Too many such reports came within this hour. Switch JavaScript on, or try later."
        limits.count("unproved-reports", "all", UNPROVED_PER_HOUR, more, within=3600)
