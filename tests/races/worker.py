"""The processes of the races: each reads jobs from a socket, calls forum.actions and answers.

A job and its answer are a line of JSON each. What an act announces (a refusal, an edit by somebody
else) is part of a job's result; every other exception is told as an error and fails the test.
"""

import json
import os
import signal
import socket
import sys
import time
import traceback
import uuid
from collections import Counter
from contextlib import suppress

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
django.setup()

from django.conf import settings  # noqa: E402 (models need the settings)
from django.db import OperationalError, connection  # noqa: E402

from accounts.models import User  # noqa: E402
from forum.actions import posts, read_state, threads  # noqa: E402
from forum.actions.composing import Unacceptable  # noqa: E402
from forum.models import AuditEntry, Board, Case, Post, State, Thread  # noqa: E402
from forum.moderation import merging, moving, queue, reports, states, undoing  # noqa: E402
from forum.permissions import Refused  # noqa: E402
from tests.postgres import trust_the_power  # noqa: E402
from tests.races.crew import Ledger, seeded  # noqa: E402
from tests.stress.wandering import wander  # noqa: E402
from tests.waiting import until  # noqa: E402

trust_the_power(settings.DATABASES["default"])


def fetch_thread(pk: int) -> Thread:
    return Thread.objects.select_related("board").get(pk=pk)


def fetch_post(pk: int) -> Post:
    return Post.objects.select_related("thread__board", "body__revision").get(pk=pk)


def passage(post: Post) -> str:
    """The source of a quote of the first paragraph of `post`."""
    words = post.body.revision.plain.partition("\n")[0]
    return f'[quote="somebody, post: {post.pk}"]{words}[/quote]\n\n'


def reply(user: User, thread: int, parent: int | None, token: str, *, quoting: bool = False) -> int:
    """Reply to a post, or to the debate, as the page does; returns the id of the post."""
    post = fetch_post(parent) if parent else None
    source = f"Claim {token}: the harvest of that year decides it.\n\nSo much for post {parent}."
    done = posts.reply(
        user=user,
        thread=fetch_thread(thread),
        parent=post,
        source=passage(post) + source if quoting else source,
        token=uuid.UUID(token),
    )
    return done.pk


def reply_many(*, member: int, thread: int, opening: int, ledger: str, count: int, seed: int):
    """Post `count` replies to random posts among those acknowledged to anybody so far, every
    third with a quote. Returns how many seconds each took, and how many of this process's own
    work all took together."""
    user, book, choice = User.objects.get(pk=member), Ledger(ledger), seeded(seed)
    known, took, work = [opening], [], time.process_time()
    for turn in range(count):
        known += [entry.about for entry in book.news()]
        parent, token = choice.choice(known), str(uuid.UUID(int=choice.getrandbits(128)))
        began = time.perf_counter()
        pk = reply(user, thread, parent, token, quoting=turn % 3 == 0)
        took.append(time.perf_counter() - began)
        book.write("ack", token, pk)
    book.close()
    return took, time.process_time() - work


def reply_on(*, member: int, thread: int, opening: int, ledger: str, seed: int, again: list):
    """Send first what a dead process left without an answer, (token, parent), then reply to
    random posts until the ledger says stop."""
    user, book, choice = User.objects.get(pk=member), Ledger(ledger), seeded(seed)
    known, forms = [opening], list(again)
    while True:
        known += [entry.about for entry in book.news() if entry.kind == "ack"]
        if book.stopped:
            break
        if forms:
            token, parent = forms.pop()
        else:
            token, parent = str(uuid.UUID(int=choice.getrandbits(128))), choice.choice(known)
        book.write("try", token, parent)
        book.write("ack", token, reply(user, thread, parent, token))
    book.close()


def start_many(*, member: int, boards: list, tokens: list):
    """Open a debate for each token, in each board in turn. Returns the ids of the threads."""
    user = User.objects.get(pk=member)
    return [
        threads.start(
            user=user,
            board=Board.objects.get(pk=boards[turn % len(boards)]),
            title=f"What if the fleet had sailed, {token[:8]}",
            kind=Thread.Kind.TL,
            source=f"It sails in the spring. {token}",
            token=uuid.UUID(token),
        ).pk
        for turn, token in enumerate(tokens)
    ]


def reply_once(*, member: int, thread: int, parent: int, token: str):
    """Post one reply. Returns its id."""
    return reply(User.objects.get(pk=member), thread, parent, token)


def reply_and_die(*, member: int, thread: int, parent: int, token: str, statement: int):
    """Post one reply, but be killed right after that statement to the database, or, if there are
    fewer, after the commit and before anybody is told."""
    done = 0

    def die(execute, sql, params, many, context):
        nonlocal done
        result = execute(sql, params, many, context)
        done += 1
        if done == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    with connection.execute_wrapper(die):
        reply_once(member=member, thread=thread, parent=parent, token=token)
    os.kill(os.getpid(), signal.SIGKILL)


def reply_until_refused(*, member: int, thread: int, parent: int | None, patience: float):
    """Reply to one post, or to the debate, until that is refused, for `patience` seconds at most.
    Returns the ids of the posts, and whether a refusal came."""
    user, made = User.objects.get(pk=member), []
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            made.append(reply(user, thread, parent, str(uuid.uuid4())))
        except Refused:
            return made, True
    return made, False


def shut(*, member: int, how: str, thread: int, post: int, after: float):
    """Lock or close the thread, or hide or withdraw the post, a while after somebody replied."""
    user = User.objects.get(pk=member)
    until(Post.objects.filter(thread=thread, pk__gt=post).exists, "nobody replies")
    time.sleep(after)
    if how == "lock":
        states.lock(user=user, thread=fetch_thread(thread), reason="It goes in circles.")
    elif how == "close":
        threads.close(user=user, thread=fetch_thread(thread), closed=True)
    elif how == "hide":
        states.hide(user=user, post=fetch_post(post), reason="Not about the debate.")
    else:
        posts.withdraw(user=user, post=fetch_post(post), reason="I was wrong.")


def edit_once(*, member: int, post: int, base: int, source: str):
    """Save a text made from revision `base`. Returns whether it was taken."""
    try:
        posts.edit(
            user=User.objects.get(pk=member), post=fetch_post(post), source=source, base=base
        )
    except posts.EditedMeanwhile:
        return False
    return True


def edit_many(*, member: int, post: int, source: str, count: int):
    """Save `count` new texts of a post, each from the revision that is current when it begins,
    again if somebody was faster. Returns how often that was so."""
    user, beaten = User.objects.get(pk=member), 0
    for turn in range(count):
        while True:
            current = fetch_post(post)
            try:
                posts.edit(
                    user=user,
                    post=current,
                    source=f"{source}\n\nVersion {os.getpid()}.{turn}.",
                    base=current.body.revision_number,
                )
                break
            except posts.EditedMeanwhile:
                beaten += 1
    return beaten


def quote_many(*, member: int, thread: int, source: int, count: int):
    """Reply `count` times to the debate, each time quoting post `source` of another one."""
    user = User.objects.get(pk=member)
    for turn in range(count):
        posts.reply(
            user=user,
            thread=fetch_thread(thread),
            source=f"{passage(fetch_post(source))}I doubt it, {os.getpid()}.{turn}.",
            token=uuid.uuid4(),
        )


def reply_anywhere(*, member: int, count: int, seed: int):
    """Reply to random posts, wherever they stand just then. Returns the ids of the posts, and how
    often what was to be answered had just gone elsewhere."""
    user, choice, made, missed = User.objects.get(pk=member), seeded(seed), [], 0
    for _ in range(count):
        there = Post.objects.filter(thread__state=State.VISIBLE, number__isnull=False)
        parent, token = choice.choice(list(there.values_list("pk", flat=True))), uuid.uuid4()
        try:
            made.append(reply(user, fetch_post(parent).thread_id, parent, str(token)))
        except (Refused, Unacceptable, Thread.DoesNotExist):  # also while it is fetched
            missed += 1
    return made, missed


def rearrange(*, member: int, count: int, seed: int):
    """Split, merge, move branches and debates, and take the last of that back, at random, `count`
    times and until each was done once. Returns how often each was done."""
    user, choice, done = User.objects.get(pk=member), seeded(seed), Counter()
    for turn in range(20 * count):
        if turn >= count and {"split", "merge", "move branch", "move", "undo"} <= set(done):
            break
        there = list(Thread.objects.filter(state=State.VISIBLE).select_related("board"))
        thread, other = choice.choice(there), choice.choice(there)
        posts_there = list(Post.objects.filter(thread=thread, number__gt=1))
        act = choice.choice(["split", "split", "merge", "move branch", "move", "undo"])
        try:
            if act == "split" and posts_there:
                chosen = moving.branch(choice.choice(posts_there))
                moving.split(user=user, thread=thread, chosen=chosen, title=f"Split, {turn}")
            elif act == "merge":
                merging.merge(user=user, thread=thread, into=other)
            elif act == "move branch" and posts_there:
                moving.move_branch(user=user, post=choice.choice(posts_there), target=other)
            elif act == "move":
                board = choice.choice(list(Board.objects.all()))
                moving.move_thread(user=user, thread=thread, board=board)
            elif act == "undo":
                undoing.undo(user=user, entry=AuditEntry.objects.latest("pk"))
            done[act] += 1
        except (Refused, AuditEntry.DoesNotExist):
            done["refused"] += 1
    return done


def mark_many(*, member: int, thread: int, ranges: list):
    """Mark ranges of numbers as read, one after the other, as a page does."""
    for first, last in ranges:
        user, row = User.objects.get(pk=member), fetch_thread(thread)
        last = min(last, row.numbered)  # a page shows no more than there is
        if first > last:
            continue
        known = read_state.seen(user, row).ranges
        read_state.mark_read(user=user, thread=row, numbers=[(first, last)], known=known)


def fold_many(*, member: int, thread: int, count: int):
    """Fold `count` branches."""
    for post_id in range(1, count + 1):
        read_state.fold(
            user=User.objects.get(pk=member),
            thread=fetch_thread(thread),
            post_id=post_id,
            folded=True,
        )


def mark_all(*, member: int, count: int):
    """Count everything as read, `count` times."""
    for _ in range(count):
        read_state.mark_all_read(user=User.objects.get(pk=member))


def report_once(*, member: int, post: int):
    """Report a post, as the page does; returns the id of the case."""
    user = User.objects.get(pk=member)
    made = reports.report(user=user, post=fetch_post(post), reason="spam", token=uuid.uuid4())
    return made.case_id


def decide_once(*, member: int, case: int, act: str):
    """Decide a case. Returns whether it was this that decided it."""
    user = User.objects.get(pk=member)
    try:
        queue.decide(user=user, case=Case.objects.get(pk=case), act=act, reason=f"To {act}.")
    except Refused:
        return False
    return True


JOBS = {
    job.__name__: job
    for job in (
        *(rearrange, reply_anywhere, wander),
        *(decide_once, edit_many, edit_once, fold_many, mark_all, mark_many, quote_many),
        *(reply_and_die, report_once),
        *(reply_many, reply_on, reply_once, reply_until_refused, shut, start_many),
    )
}


def serve(address: str) -> None:
    """Do the jobs that are told at a socket until nobody tells any more."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        told = line.makefile("rw", encoding="utf-8")
    told.write(f"{os.getpid()}\n")
    told.flush()
    for task in map(json.loads, told):
        try:
            with suppress(OperationalError):  # of a server that is away its job is told anyway
                connection.ensure_connection()
            time.sleep(max(task["at"] - time.time(), 0))
            answer = {"result": JOBS[task["job"]](**task["arguments"])}
        except Exception:
            answer = {"error": traceback.format_exc()}
        told.write(json.dumps(answer) + "\n")
        told.flush()


def main() -> None:
    """Fork a process that serves at the socket for each line on stdin."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    for _ in sys.stdin:
        if os.fork() == 0:
            os.close(sys.stdin.fileno())
            with suppress(ConnectionError):  # the tests are over
                serve(sys.argv[1])
            os._exit(0)


if __name__ == "__main__":
    main()
