"""What polls count, compared with the ballots."""

from collections.abc import Iterator

from core.counting import counted

from ..models import Ballot, Poll, Post, Thread
from .faults import Fault
from .labels import CHUNK


def check_polls(thread: Thread, *, fix: bool) -> Iterator[Fault]:
    """The polls of a locked thread: shown where they are, and counting what was chosen. Each is
    locked, since a vote holds its row alone."""
    gone = Post.objects.filter(thread=thread, has_poll=True, poll=None)
    if showing := gone.count():
        sentence = counted(
            showing, "post shows a poll that it has not,posts show a poll that they have not"
        )
        yield Fault(thread.pk, "polls", sentence, healed=fix)
        if fix:
            gone.update(has_poll=False)
    here = Poll.objects.filter(post__thread=thread).order_by("pk").values_list("pk", flat=True)
    for pk in list(here):
        poll = Poll.objects.select_for_update(no_key=True).get(pk=pk)
        ballots = Ballot.objects.filter(poll=poll).values_list("chosen", flat=True)
        voters, counts = poll.tally(ballots.iterator(chunk_size=CHUNK))
        if (poll.voters, poll.counts) != (voters, counts):
            sentence = f"the poll of post {pk} counts other votes than there are"
            yield Fault(thread.pk, "polls", sentence, healed=fix)
            if fix:
                poll.voters, poll.counts = voters, counts
                poll.save(update_fields=["voters", "counts"])
