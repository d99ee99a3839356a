"""Acts that move posts and debates: where everything stands afterwards, that nothing leaks into a
wider audience, and that undoing brings back every row as it was."""

from itertools import product
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from forum.actions import arguments, description, drafts, read_state, threadmarks, threads
from forum.actions.divergences import read_divergence
from forum.models import AuditEntry, Board, Draft, Post, Quote, ReadMark, State, Thread
from forum.moderation import merging, moving, states, undoing
from forum.permissions import NotThere, Refused
from tests.people import (
    browser,
    cast,
    fresh,
    make_member,
    pending,
    quoting,
    reply,
    settled_row,
    start,
)
from tests.races.soundness import faults
from tests.tree.test_tree import grow

pytestmark = pytest.mark.django_db

# What an act and its undoing may leave changed: the log, who was told, and numbers that only say
# that something changed.
LEFT_OUT = {"AuditEntry", "Notice", "Mail", "Job", "SiteVersion", "Session", "LogEntry"}
# What is searched follows by a job, and is checked by itself (tests/search).
LEFT_OUT |= {"PostWords", "DebateWords"}
MOVES_ON = {"version", "numbering", "unread_notices", "divergences_version"}
# Written anew from the rows that they follow from: what they say comes back, not their ids.
DERIVED = {"ThreadWord"}


def everything() -> dict:
    """Every row of every table, but for what moves on by its nature."""
    return {
        model.__name__: [
            {
                name: value
                for name, value in row.items()
                if name not in MOVES_ON | ({"id"} if model.__name__ in DERIVED else set())
            }
            for row in model._base_manager.order_by(
                *(("thread", "word", "role") if model.__name__ in DERIVED else ("pk",))
            ).values()
        ]
        for app in ("forum", "accounts")
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
        if model.__name__ not in LEFT_OUT
    }


def numbers(thread) -> list[tuple]:
    """(number, parent's number, basis) of a debate's posts, by number."""
    rows = Post.objects.filter(thread=thread, number__isnull=False).order_by("number")
    return list(rows.values_list("number", "parent__number", "parent_basis"))


@pytest.fixture(scope="module")
def world(settled):
    """The debate of four posts, with one of everything that hangs on a post or its place: quotes
    within it and from elsewhere, a pending answer, marks, folds, drafts, threadmarks, answers."""
    made = cast()
    opener, answerer, stranger = made.opener, made.answerer, made.stranger
    thread, moderator = made.thread, made.moderator
    opening, answer, third = (thread.posts.get(number=number) for number in (1, 2, 3))
    stranger.date_joined = opener.date_joined  # and so has not read what came since
    stranger.save(update_fields=["date_joined"])
    description.describe(
        user=opener,
        thread=thread,
        divergences=[read_divergence(change="Lenin lives.", when="1924")],
        questions=["Would the purges have come all the same?"],
    )
    thread = fresh(thread)
    reply(thread, answerer, quoting(answer, "The party obeyed nobody."), to=third)
    reply(thread, stranger, quoting(opening, "Lenin had named a successor"), to=answer)
    elsewhere = start(thread.board, stranger, title="Elsewhere")
    reply(elsewhere, stranger, quoting(answer, "It had a secretary, after all."))
    pending(thread, stranger, to=answer)
    pending(thread, stranger)
    read_state.mark_read(user=answerer, thread=thread, numbers=[(1, 3), (5, 5)])
    read_state.mark_read(user=stranger, thread=thread, numbers=[(2, 2), (4, 6)])
    read_state.fold(user=stranger, thread=thread, post_id=answer.pk, folded=True)
    for to in (None, answer, third):
        drafts.save(
            user=stranger,
            token=uuid4(),
            target=f"/threads/{thread.pk}/reply/" + (f"?to={to.pk}" if to else ""),
            label=drafts.label_for(thread, to),
            text="Not yet.",
        )
    threadmarks.mark(user=opener, post=answer, category="story", label="The party")
    question = thread.questions.get()
    arguments.argue(
        user=answerer,
        post=fresh(answer),
        lane="premise",
        stance="disputes",
        quotes={},
        ties=[arguments.Tie(question.pk, "disputes")],
    )
    states.lock_branch(user=moderator, post=third)
    return made


full, board, other_board = (settled_row(name) for name in ("thread", "board", "other_board"))
opener, answerer, stranger = (settled_row(name) for name in ("opener", "answerer", "stranger"))
moderator, administrator = settled_row("moderator"), settled_row("administrator")


@pytest.fixture
def opening(full) -> Post:
    return full.posts.get(number=1)


@pytest.fixture
def answer(full) -> Post:
    return full.posts.get(number=2)


@pytest.fixture
def other(board, stranger, opener):
    """A later debate of three posts that asks and changes something too."""
    other = start(board, stranger, title="What if Lenin had died in 1918?", text="Suppose he had.")
    first = reply(other, opener, "Suppose what?")
    reply(other, stranger, "That he had died.", to=first)
    description.describe(
        user=stranger,
        thread=other,
        divergences=[read_divergence(change="Lenin dies.", when="1918")],
        questions=["Would the purges have come all the same?", "Who follows him?"],
    )
    return fresh(other)


ON_POSTS = {
    "hide": lambda post, user: states.hide(user=user, post=post, reason="Off the point."),
    "remove": lambda post, user: states.remove(user=user, post=post, reason="Off the point."),
    "lock branch": lambda post, user: states.lock_branch(user=user, post=post),
    "split": lambda post, user: moving.split(
        user=user, thread=post.thread, chosen=moving.branch(post), title="The party"
    ),
    "split one": lambda post, user: moving.split(
        user=user, thread=post.thread, chosen=[post.pk], title="The party"
    ),
}
ON_THREADS = {
    "lock": lambda thread, user: states.lock(user=user, thread=thread),
    "pin": lambda thread, user: states.pin(user=user, thread=thread),
    "archive": lambda thread, user: states.archive(user=user, thread=thread),
    "slow": lambda thread, user: states.slow(user=user, thread=thread, minutes=5),
    "demand approval": lambda thread, user: states.demand_approval(user=user, thread=thread),
    "hide": lambda thread, user: states.hide_thread(user=user, thread=thread, reason="Why."),
    "rename": lambda thread, user: threads.rename(user=user, thread=thread, title="Another"),
}


def undo_last(user) -> None:
    undoing.undo(user=user, entry=AuditEntry.objects.latest("pk"))


def test_undoing_an_act_on_a_post_brings_back_every_row(full, moderator):
    before = everything()
    for number, act in product((2, 3, 4), ON_POSTS):
        if (number, act) == (3, "lock branch"):
            continue  # that one is locked
        with transaction.atomic():
            ON_POSTS[act](full.posts.get(number=number), moderator)
            assert everything() != before, (number, act)
            assert not faults(connection), (number, act)
            undo_last(moderator)
            assert everything() == before, (number, act)
            transaction.set_rollback(True)


def test_undoing_an_act_on_a_debate_brings_back_every_row(full, moderator):
    before = everything()
    for name, act in ON_THREADS.items():
        with transaction.atomic():
            act(fresh(full), moderator)
            assert everything() != before, name
            undo_last(moderator)
            assert everything() == before, name
            transaction.set_rollback(True)


@pytest.mark.parametrize("act", ["approve", "reject"])
def test_undoing_a_decision_on_a_waiting_post(full, moderator, stranger, act):
    stranger.refresh_from_db()
    waiting = full.posts.filter(state=State.PENDING).first()
    before = everything()
    getattr(states, act)(user=moderator, post=waiting, reason="Read.")
    assert not faults(connection)
    undo_last(moderator)
    assert everything() == before


@pytest.mark.parametrize("to", ["debate", "post"])
def test_undoing_the_move_of_a_branch(full, other, moderator, opener, to):
    late = reply(full, opener, "Late.", to=full.posts.get(number=4))
    reply(full, opener, "Later.", to=late)
    before = everything()
    answers = other.posts.get(number=2) if to == "post" else None
    moving.move_branch(user=moderator, post=late, target=other, answers=answers)
    assert not faults(connection)
    assert numbers(other)[3:] == [
        (4, 2 if to == "post" else None, "editor"),
        (5, 4, "reply"),
    ]
    undo_last(moderator)
    assert everything() == before


@pytest.mark.parametrize("into", ["earlier", "later"])
def test_undoing_a_merge_brings_back_every_row(full, other, moderator, into):
    pair = (other, full) if into == "earlier" else (full, other)
    before = everything()
    merging.merge(user=moderator, thread=pair[0], into=pair[1])
    assert not faults(connection)
    undo_last(moderator)
    assert everything() == before
    assert not faults(connection)


def test_what_a_merge_does_not_show_is_said_before_and_in_the_log(full, other, moderator):
    client = browser(moderator)
    page = client.get(f"/threads/{other.pk}/moderate/?act=merge").content.decode()
    assert "Its own answer is kept with it" in page
    assert "divergences and questions go along as far as there is room: 5 and 10" in page
    merging.merge(user=moderator, thread=other, into=full)
    assert "not shown: 1 own answer, 1 question." in client.get("/log/").content.decode()
    assert other.own_answer == fresh(other).own_answer != ""
    page = client.get(f"/threads/{full.pk}/moderate/?act=merge-duplicates").content.decode()
    assert "those of the double are kept with it" in page


def test_undoing_the_move_of_a_debate(full, other_board, moderator):
    before = everything()
    moving.move_thread(user=moderator, thread=full, board=other_board)
    assert not faults(connection)
    undo_last(moderator)
    assert everything() == before


# --- Where things stand -----------------------------------------------------------------------


def test_a_branch_becomes_a_debate_of_its_own(full, answer, moderator, stranger, answerer):
    waiting = full.posts.get(state=State.PENDING, parent=answer)
    new = moving.split(
        user=moderator, thread=full, chosen=moving.branch(fresh(answer)), title="The party"
    )
    # 2 <- 3 <- 5 and 2 <- 6 went; 4 and the answer to the debate that waits stayed.
    assert numbers(new) == [
        (1, None, "opening"),
        (2, None, "reply"),
        (3, 2, "reply"),
        (4, None, "reply"),
    ]
    assert numbers(full) == [(1, None, "opening"), (2, None, "reply")]
    assert (new.author, new.reply_count, new.branch_locks) == (answerer, 3, 1)
    assert fresh(full).reply_count == 1
    assert fresh(waiting).thread == new
    assert fresh(waiting).parent is None
    marks = {
        (mark.user, mark.thread): (mark.ranges, mark.folded) for mark in ReadMark.objects.all()
    }
    assert marks[answerer, new] == ("1-3", [])
    assert marks[answerer, full] == ("1-2", [])  # one has read what one wrote
    assert marks[stranger, new] == ("1-1,3-4", [answer.pk])
    assert marks[stranger, full] == ("2-2", [])
    targets = set(Draft.objects.values_list("target", "label"))
    third = new.posts.get(number=2)
    assert targets == {
        (f"/threads/{full.pk}/reply/", f"Answer to {full.title}"),
        (f"/threads/{new.pk}/reply/?to={answer.pk}", "Answer to #1 in The party"),
        (f"/threads/{new.pk}/reply/?to={third.pk}", "Answer to #2 in The party"),
    }
    assert answer.threadmark.thread == new or fresh(answer).threadmark.thread == new
    assert fresh(full).card["questions"][0]["answers"] == 0
    assert fresh(full).lane_counts.get("premise", 0) == 0


def test_chosen_posts_leave_what_they_answered(full, answer, moderator):
    third, fourth = (full.posts.get(number=number) for number in (3, 4))
    new = moving.split(user=moderator, thread=full, chosen=[third.pk, fourth.pk], title="Both")
    assert numbers(new) == [(1, None, "opening"), (2, None, "editor")]
    # What answered #3 stayed and cannot answer it here any more.
    assert numbers(full) == [
        (1, None, "opening"),
        (2, None, "reply"),
        (3, None, "editor"),
        (4, 2, "reply"),
    ]


def test_of_whom_nobody_knows_nobody_knows_after_a_split(full, moderator):
    fourth = full.posts.get(number=4)
    Post.objects.filter(pk=fourth.pk).update(parent_basis="unknown")
    fifth = full.posts.get(number=6)
    new = moving.split(user=moderator, thread=full, chosen=[2, fourth.pk][1:], title="Alone")
    assert numbers(new) == [(1, None, "opening")]
    undo_last(moderator)
    chosen = [full.posts.get(number=2).pk, fourth.pk, fifth.pk]
    new = moving.split(user=moderator, thread=full, chosen=chosen, title="Three")
    assert numbers(new) == [(1, None, "opening"), (2, None, "unknown"), (3, None, "reply")]


def test_merged_debates_are_one_by_arrival(full, other, moderator, stranger):
    late = reply(full, stranger, "After the other debate began.")
    merging.merge(user=moderator, thread=other, into=full)
    assert numbers(full)[6:] == [
        (7, None, "editor"),  # its opening answers the debate
        (8, 7, "reply"),  # what answered it still does
        (9, 8, "reply"),
        (10, None, "reply"),
    ]
    assert full.posts.get(number=10) == late
    shell = fresh(other)
    assert (shell.state, shell.merged_into, shell.reply_count) == ("merged", full, 0)
    merged = fresh(full)
    assert [one["change"] for one in merged.card["divergences"]] == ["Lenin lives.", "Lenin dies."]
    assert [one["text"] for one in merged.card["questions"]] == [
        "Would the purges have come all the same?",
        "Who follows him?",
    ]


def test_the_lowest_stays_the_opening(full, other, moderator, opener):
    merging.merge(user=moderator, thread=full, into=other)
    merged = fresh(other)
    assert numbers(other)[0] == (1, None, "opening")
    assert merged.posts.get(number=1).author == opener == merged.author
    # What had answered the other opening does so by its name now.
    demoted = merged.posts.get(number=7)
    assert demoted.parent_basis == "editor"
    assert merged.posts.get(number=8).parent == demoted


def test_what_cannot_be_moved(full, other, moderator, opening, stranger):
    before = everything()
    for act in (
        lambda: moving.split(user=moderator, thread=full, chosen=[opening.pk], title="T"),
        lambda: moving.split(user=moderator, thread=full, chosen=[], title="T"),
        lambda: moving.split(
            user=moderator, thread=full, chosen=[other.posts.get(number=2).pk], title="T"
        ),
        lambda: moving.move_branch(user=moderator, post=full.posts.get(number=2), target=other),
        lambda: moving.move_branch(user=moderator, post=full.posts.get(number=2), target=full),
        lambda: merging.merge(user=moderator, thread=full, into=full),
        lambda: moving.split(
            user=stranger, thread=full, chosen=[full.posts.get(number=4).pk], title="T"
        ),
        lambda: merging.merge(user=stranger, thread=other, into=full),
    ):
        with pytest.raises(Refused):
            act()
    assert everything() == before


def test_board_moderators_move_between_their_boards_only(
    full, board_moderator, other_board, inner_board
):
    for board in (other_board, inner_board):
        with pytest.raises(Refused):
            moving.move_thread(user=board_moderator, thread=full, board=board)
    with pytest.raises(NotThere):
        moving.move_thread(user=board_moderator, thread=full, board=inner_board)
    other_board.moderators.add(board_moderator)
    del board_moderator._moderated_board_ids
    assert moving.move_thread(user=board_moderator, thread=full, board=other_board)


# --- Audiences --------------------------------------------------------------------------------


@pytest.fixture
def secret(inner_board, moderator):
    """A debate of moderators, and one there that quotes it."""
    secret = start(inner_board, moderator, title="Among us", text="The warden of records knows.")
    quotes = start(inner_board, moderator, title="About it", text="Look here.")
    reply(quotes, moderator, quoting(secret.posts.get(), "The warden of records knows."))
    return secret, quotes


def test_words_are_not_carried_into_a_wider_audience(secret, board, moderator, full):
    debate_, quotes = secret
    quoting_post = quotes.posts.get(number=2)
    before = everything()
    with pytest.raises(Refused, match="#2 quotes words"):
        moving.move_thread(user=moderator, thread=quotes, board=board)
    with pytest.raises(Refused, match="#2 quotes words"):
        moving.split(
            user=moderator, thread=quotes, chosen=[quoting_post.pk], title="T", board=board
        )
    with pytest.raises(Refused, match="#2 quotes words"):
        moving.move_branch(user=moderator, post=quoting_post, target=full)
    with pytest.raises(Refused, match="#2 quotes words"):
        merging.merge(user=moderator, thread=quotes, into=full)
    assert everything() == before
    # What quotes nothing from outside may go.
    moving.move_thread(user=moderator, thread=debate_, board=board)


def test_a_debate_that_went_behind_closed_doors_is_quoted_without_its_name(
    client, full, answer, inner_board, moderator
):
    elsewhere = Thread.objects.get(title="Elsewhere")
    page = client.get(elsewhere.get_absolute_url()).content.decode()
    assert f"/posts/{answer.pk}/" in page
    moving.move_thread(user=moderator, thread=full, board=inner_board)
    page = client.get(elsewhere.get_absolute_url()).content.decode()
    assert "It had a secretary" in page
    assert f"/posts/{answer.pk}/" not in page
    assert 'data-status="unverifiable"' in page
    for path in (full.get_absolute_url(), f"/posts/{answer.pk}/", f"/threads/{full.pk}/new/"):
        assert client.get(path).status_code == 404


# --- Undoing, refused -------------------------------------------------------------------------


def test_undoing_is_refused_where_the_world_moved_on(full, answer, other, moderator, opener):
    new = moving.split(
        user=moderator, thread=full, chosen=moving.branch(fresh(answer)), title="The party"
    )
    split = AuditEntry.objects.get(verb="split")
    written = reply(new, opener, "In the new one.")
    for entry, sentence in ((split, "have written in the new debate"),):
        with pytest.raises(Refused, match=sentence):
            undoing.undo(user=moderator, entry=entry)
    states.remove(user=moderator, post=written, reason="Test.")
    merging.merge(user=moderator, thread=other, into=full)
    with pytest.raises(Refused, match="moved again since"):
        undoing.undo(user=moderator, entry=split)
    undo_last(moderator)
    states.pin(user=moderator, thread=full)
    pin = AuditEntry.objects.latest("pk")
    states.unpin(user=moderator, thread=full)
    with pytest.raises(Refused, match="changed again since"):
        undoing.undo(user=moderator, entry=pin)
    undo_last(moderator)
    undoing.undo(user=moderator, entry=pin)
    with pytest.raises(Refused, match="undone already"):
        undoing.undo(user=moderator, entry=pin)


def test_only_who_moderates_undoes(full, moderator, stranger, opener):
    states.pin(user=moderator, thread=full)
    for user in (stranger, opener):
        with pytest.raises(Refused):
            undo_last(user)


# --- Addresses --------------------------------------------------------------------------------


def test_addresses_of_a_merged_debate_lead_on(client, full, other, moderator, opener):
    client.force_login(opener)
    answered = other.posts.get(number=1)
    merging.merge(user=moderator, thread=other, into=full)
    for page, now in (
        ("", full.get_absolute_url()),
        (f"{other.slug}/", full.get_absolute_url()),
        ("new/", f"/threads/{full.pk}/new/"),
        (f"reply/?to={answered.pk}", f"/threads/{full.pk}/reply/?to={answered.pk}"),
        ("rename/", f"/threads/{full.pk}/rename/"),
    ):
        answer = client.get(f"/threads/{other.pk}/{page}")
        assert (answer.status_code, answer["Location"]) == (301, now)
        assert answer["Cache-Control"] == "no-cache"
    sent = client.post(f"/threads/{other.pk}/reply/", {"text": "Still typing.", "token": uuid4()})
    assert (sent.status_code, sent["Location"]) == (308, f"/threads/{full.pk}/reply/")
    Board.objects.filter(pk=full.board_id).update(audience="moderators")
    assert client.get(f"/threads/{other.pk}/").status_code == 404


def test_the_address_of_a_split_that_was_undone_leads_back(client, full, answer, moderator):
    new = moving.split(user=moderator, thread=full, chosen=[answer.pk], title="The party")
    undo_last(moderator)
    assert not Thread.objects.filter(pk=new.pk).exists()
    assert client.get(f"/threads/{new.pk}/the-party/")["Location"] == full.get_absolute_url()
    full.board.audience = "moderators"
    full.board.save()
    assert client.get(f"/threads/{new.pk}/the-party/").status_code == 404


# --- Doubles ----------------------------------------------------------------------------------


def twice(board, opener, answerer):
    """The same debate of three posts, twice; the second was answered and quoted here."""
    pair = []
    for _ in range(2):
        one = start(board, opener, title="Twice", text="Suppose the dam had held all winter.")
        first = reply(one, answerer, "Then the mill would have run until the spring.")
        reply(one, opener, "And the town would have had flour.", to=first)
        pair.append(fresh(one))
    return pair


def test_doubles_become_one(client, board, opener, answerer, stranger, moderator):
    one, double = twice(board, opener, answerer)
    there = {post.number: post for post in double.posts.order_by("number")}
    own = reply(double, stranger, quoting(there[2], "the mill would have run"), to=there[3])
    read_state.mark_read(user=stranger, thread=double, numbers=[(1, 2)])
    before = everything()
    merging.merge_duplicates(user=moderator, thread=double, into=one)
    assert not faults(connection)
    stays = {post.number: post for post in one.posts.order_by("number")}
    assert [post.number for post in stays.values()] == [1, 2, 3, 4]
    assert fresh(own).parent == stays[3]
    quote = Quote.objects.get(post=own)
    assert (quote.source_post, quote.verdict) == (stays[2], "exact")
    assert quote.source_revision == stays[2].body.revision
    assert read_state.seen(stranger, one).ranges == [(1, 2), (4, 4)]  # the last is one's own
    page = client.get(f"/posts/{there[2].pk}/")
    assert page["Location"] == f"{one.get_absolute_url()}#post-{stays[2].pk}"
    history = client.get(f"/posts/{there[2].pk}/history/")
    assert history["Location"] == f"/posts/{stays[2].pk}/history/"
    assert client.get(f"/threads/{double.pk}/")["Location"] == one.get_absolute_url()
    undo_last(moderator)
    assert everything() == before
    assert not faults(connection)


def test_an_edited_double_comes_along(board, opener, answerer, moderator):
    from tests.people import edit

    one, double = twice(board, opener, answerer)
    changed = double.posts.get(number=2)
    edit(changed, "Then the mill would have stood still.")
    merging.merge_duplicates(user=moderator, thread=double, into=one)
    assert not faults(connection)
    assert numbers(one)[3] == (4, None, "reply")
    assert one.posts.get(number=4) == changed
    with pytest.raises(Refused, match="No post of one"):
        other = start(board, opener, title="Other", text="Something else.")
        merging.merge_duplicates(user=moderator, thread=other, into=one)


def test_members_are_told_once_when_posts_of_theirs_move(full, answer, moderator, answerer):
    make_member("bystander")
    moving.split(
        user=moderator,
        thread=full,
        chosen=moving.branch(fresh(answer)),
        title="The party",
        reason="Another subject.",
    )
    entry = AuditEntry.objects.get(verb="split")
    told = [notice.member.username for notice in entry.notices.all()]
    assert len(told) == len(set(told)) == 3


# --- At any size ------------------------------------------------------------------------------


def test_large_debates_take_as_many_statements_as_small_ones(board, moderator):
    found = []
    for size in (12, 12, 120):  # the first finds the site without its version
        thread = grow(board, [None, None, *(1 if n % 3 else None for n in range(size))])
        later = thread.posts.filter(number__gt=1).order_by("number")
        ids = list(later.values_list("pk", flat=True))[::2]
        steps = []
        for act in (
            lambda thread=thread, ids=ids: moving.split(
                user=moderator, thread=thread, chosen=ids, title="Half"
            ),
            lambda thread=thread: merging.merge(
                user=moderator, thread=Thread.objects.get(title="Half"), into=thread
            ),
            lambda: undo_last(moderator),
        ):
            with CaptureQueriesContext(connection) as asked:
                act()
            steps.append(len(asked))
        Thread.objects.filter(title="Half").update(title="Done")
        found.append(steps)
    assert found[1] == found[2]


# What names a thread or a post, and what happens to it when posts move. Rows about a post alone
# go along by its id.
WITH_A_THREAD = {
    "Post.thread": "written by tree.rearrange",
    "Post.origin": "stays: the thread whose fixture brought it",
    "PassageKey.thread": "carried",
    "PictureUse.thread": "carried",
    "Threadmark.thread": "carried",
    "ReadMark.thread": "mapped by number",
    "Divergence.thread": "merged, or kept",
    "Question.thread": "merged, or kept",
    "Thread.merged_into": "the act itself",
    "Thread.variant_of": "led on by variants.lead where a debate goes into another one",
    "PostWords.thread": "written anew by a job",
    "DebateWords.thread": "stays: it follows from title, divergences and questions",
    "ThreadWord.thread": "stays: it follows from title and divergences",
    "AuditEntry.thread": "stays: where it was done",
    "Case.thread": "stays: about a whole debate",
    "Watch.thread": "stays: who looks for watchers asks of what went into a debate, too",
}


def test_no_row_that_names_a_thread_is_forgotten():
    named = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_app_config("forum").get_models()
        if not model._meta.proxy
        for field in model._meta.fields
        if field.related_model is Thread
    }
    assert named == set(WITH_A_THREAD)
