"""What exists. Querysets say what a page needs; models/visibility.py who may see it."""

from core import lookups  # noqa: F401  (registers what statements are written with)

from .boards import Board
from .bookmarks import Bookmark
from .cases import Case, CaseViewer, Report
from .debate import Answer, ChangeOfMind, Divergence, Question
from .drafts import Draft
from .glossary import Term
from .guest_reports import GuestReport, TrustedReporter
from .jobs import Job
from .keywords import ThreadWord
from .mails import Mail, MailSettings, Rhythm
from .members import Member, Note, Suspension, Warning
from .moderation import AuditEntry
from .notices import Notice, Reason
from .own_data import OwnData
from .pages import Page
from .pictures import Picture, PictureUse
from .polls import Ballot, Poll
from .posts import Lane, Post, PostBody, PostRevision, Stance, Submission, new_key
from .quotes import PassageKey, Quote
from .read_state import ReadMark
from .threadmarks import Threadmark
from .threads import NOWHERE, State, Thread, slug_for
from .transparency import Quarter
from .uploads import Upload
from .watches import Watch
from .words import DebateWords, PostWords

__all__ = [
    "NOWHERE",
    "Answer",
    "AuditEntry",
    "Ballot",
    "Board",
    "Bookmark",
    "Case",
    "CaseViewer",
    "ChangeOfMind",
    "DebateWords",
    "Divergence",
    "Draft",
    "GuestReport",
    "Job",
    "Lane",
    "Mail",
    "MailSettings",
    "Member",
    "Note",
    "Notice",
    "OwnData",
    "Page",
    "PassageKey",
    "Picture",
    "PictureUse",
    "Poll",
    "Post",
    "PostBody",
    "PostRevision",
    "PostWords",
    "Quarter",
    "Question",
    "Quote",
    "ReadMark",
    "Reason",
    "Report",
    "Rhythm",
    "Stance",
    "State",
    "Submission",
    "Suspension",
    "Term",
    "Thread",
    "ThreadWord",
    "Threadmark",
    "TrustedReporter",
    "Upload",
    "Warning",
    "Watch",
    "new_key",
    "slug_for",
]
