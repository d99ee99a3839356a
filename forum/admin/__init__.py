"""The moderators' desk: shows what there is and calls actions; decides nothing itself."""

from . import (
    boards,
    cases,
    debates,
    glossary,
    jobs,
    log,
    mails,
    members,
    notices,
    own_data,
    pages,
    pictures,
    polls,
    story,
    uploads,
)

__all__ = [
    "boards",
    "cases",
    "debates",
    "glossary",
    "jobs",
    "log",
    "mails",
    "members",
    "notices",
    "own_data",
    "pages",
    "pictures",
    "polls",
    "story",
    "uploads",
]
