"""What a thread fixture says about the posts that it brings: answers, changed minds, marks,
polls."""

from collections import Counter
from collections.abc import Mapping

from django.db.models import F

from forum.actions import polls, variants
from forum.actions.arguments import count_anew
from forum.models import (
    Answer,
    AuditEntry,
    ChangeOfMind,
    Poll,
    Post,
    Question,
    Quote,
    State,
    Thread,
    Threadmark,
)
from forum.models.visibility import wider
from forum.search import index

from .fixture import ThreadFixture

CHUNK = 500


def attach(fixture: ThreadFixture, thread: Thread, ids: Mapping[int, int]) -> bool:
    """Write answers, changed minds, marks and polls for the posts whose indexes in the fixture
    `ids` leads to their ids, in a locked thread, as far as they are missing and nobody here said
    otherwise, and count anew; the caller saves `card` and `lane_counts`. Whoever answered elsewhere
    is no member here. Returns whether anything was missing."""
    wrote = [
        _answers(fixture, thread, ids),
        _minds(fixture, thread, ids),
        _marks(fixture, thread, ids),
        _polls(fixture, ids),
    ]
    count_anew(thread)
    return any(wrote)


def attach_to_all(fixture: ThreadFixture, thread: Thread) -> bool:
    """Attach what a file says of its posts (see `attach`) to all that stand in the thread with the
    file's text, be they new or known before, with their lanes and stances where they had none.
    Returns whether anything was missing."""
    indexes = {key: index for index, key in enumerate(fixture.posts.keys)}
    ids, lanes, stances = {}, [], []
    decided = _decided(thread, "set lane")
    rows = Post.objects.filter(
        thread=thread, origin=thread, state=State.VISIBLE, body__revision__number=1
    )
    for pk, key, lane, stance, basis, text in rows.values_list(
        *("pk", "key", "lane", "stance", "parent_basis", "body__revision__source")
    ).iterator(chunk_size=CHUNK):
        index = indexes.get(key)
        if index is None or fixture.posts[index].text != text:
            continue
        ids[index] = pk
        imported = fixture.posts[index]
        if imported.lane and not lane and basis != Post.Basis.OPENING and pk not in decided:
            lanes.append(Post(pk=pk, lane=imported.lane))
        if imported.stance and not stance:
            stances.append(Post(pk=pk, stance=imported.stance))
    Post.objects.bulk_update(lanes, ["lane"], batch_size=CHUNK)
    Post.objects.bulk_update(stances, ["stance"], batch_size=CHUNK)
    quotes = _quotes(fixture, thread, ids)
    return any([attach(fixture, thread, ids), lanes, stances, quotes])


def _decided(thread: Thread, *verbs: str) -> set[int]:
    """The posts of which somebody here said it: that stays."""
    rows = AuditEntry.objects.filter(post__thread=thread, verb__in=verbs)
    return set(rows.values_list("post_id", flat=True))


def _answers(fixture: ThreadFixture, thread: Thread, ids: Mapping[int, int]) -> bool:
    asked = {row.text: row for row in Question.objects.filter(thread=thread, stands=True)}
    here = set(Answer.objects.filter(post__thread=thread).values_list("question", "post"))
    decided = _decided(thread, "tie answer")
    rows = [
        Answer(
            question=asked[answer.question],
            post_id=ids[answer.post],
            passage=answer.passage,
            verdict=answer.verdict,
        )
        for answer in fixture.answers
        if answer.post in ids and answer.question in asked
    ]
    rows = [
        row
        for row in rows
        if (row.question_id, row.post_id) not in here and row.post_id not in decided
    ]
    return bool(Answer.objects.bulk_create(rows))


def _minds(fixture: ThreadFixture, thread: Thread, ids: Mapping[int, int]) -> bool:
    """A mind is known by what was said, as often as it was: nobody here can take it back."""
    here = Counter(
        ChangeOfMind.objects.filter(post__thread=thread, member=None).values_list(
            "post", "was", "now", "reason"
        )
    )
    imported = Counter(
        (ids[mind.post], mind.was, mind.now, mind.reason)
        for mind in fixture.minds
        if mind.post in ids
    )
    rows = [
        ChangeOfMind(post_id=pk, was=was, now=now, reason=reason)
        for pk, was, now, reason in (imported - here).elements()
    ]
    ChangeOfMind.objects.bulk_create(rows)
    changed = Counter(row.post_id for row in rows)
    for pk, more in changed.items():
        Post.objects.filter(pk=pk).update(minds_changed=F("minds_changed") + more)
    index.write_posts(changed)
    return bool(rows)


def _marks(fixture: ThreadFixture, thread: Thread, ids: Mapping[int, int]) -> bool:
    here = set(Threadmark.objects.filter(thread=thread).values_list("post", flat=True))
    here |= _decided(thread, "mark", "unmark")
    rows = [
        Threadmark(thread=thread, post_id=ids[index], category=category, label=label)
        for index, category, label in fixture.marks
        if index in ids and ids[index] not in here
    ]
    return bool(Threadmark.objects.bulk_create(rows))


def _polls(fixture: ThreadFixture, ids: Mapping[int, int]) -> bool:
    """What was counted elsewhere is kept apart from the votes here, which can be counted then."""
    here = set(Poll.objects.filter(post__pk__among=ids.values()).values_list("post", flat=True))
    rows = [
        polls.brought(ids[post], asked, voters=voters, counts=counts)
        for post, asked, voters, counts in fixture.polls
        if post in ids and ids[post] not in here
    ]
    Poll.objects.bulk_create(rows)
    Post.objects.filter(pk__among=[row.pk for row in rows]).update(has_poll=True)
    for row in rows:
        polls.draw_when_closed(row)
    return bool(rows)


def _quotes(fixture: ThreadFixture, thread: Thread, ids: Mapping[int, int]) -> bool:
    """The stances to single quotes, where there were none."""
    stances = {
        (ids[index], quote.block.ordinal): quote.stance
        for index in ids
        for quote in fixture.posts[index].quotes
        if quote.stance
    }
    if not stances:
        return False
    known = Quote.objects.filter(post__thread=thread, revision__number=1, stance="")
    rows = [row for row in known if (row.post_id, row.ordinal) in stances]
    for row in rows:
        row.stance = stances[row.post_id, row.ordinal]
    return bool(Quote.objects.bulk_update(rows, ["stance"], batch_size=CHUNK))


def link_variants(fixture: ThreadFixture, thread: Thread, user=None) -> None:
    """Tie a thread that was just loaded to the one that it is a variant of, and to its variants,
    as far as they are here and `user` (None: a command, which sees everything) could name them; the
    caller holds the lock and saves `variant_of` and `variant_key`."""
    if fixture.variant_of:
        other = Thread.objects.select_related("board").filter(key=fixture.variant_of).first()
        seen = other and (user is None or variants.may_name(user, other))
        thread.variant_of = other if seen else None
        # The other may be loaded later: until then its key is all that is known of it. Nor is it
        # told from one that is here and out of sight.
        thread.variant_key = "" if seen else fixture.variant_of
    waiting = Thread.objects.filter(variant_key=thread.key).select_related("board")
    # Not those of a board with readers who may not see this one.
    ids = [row.pk for row in waiting if not wider(thread.board, row.board)]
    Thread.objects.filter(pk__in=ids).update(
        variant_of=thread, variant_key="", version=F("version") + 1
    )
