"""Tasks that were renamed: under what name older versions queued them, and what does them now.

A job holds the name of its task (`Job.task`) and may wait for long: for a bookmark's day, or, where
it failed for good, for an administrator. So whoever renames a task, or the module where it stands,
adds a line here, and mends the right side of the lines that lead to it. Lines stay: nobody knows
from how old a version the next upgrade is made.
"""

RENAMED = {
    # after 0.2.0
    "forum.actions.joining.tell": "forum.actions.joining.mail_decision",
    "forum.actions.telling.tell_of_post": "forum.actions.post_notices.notify_of_post",
    "forum.actions.telling.tell_watchers": "forum.actions.post_notices.notify_watchers",
    "forum.mailing.guests.tell_outcome": "forum.mailing.guests.mail_outcome",
}
