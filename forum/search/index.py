"""Writing the words of posts and debates, in the acts that change them, and anew.

`made_of` makes the row of one post. Whoever writes rows of texts that others may change meanwhile
holds the rows of their bodies: an edit waits for that, or is waited for.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import F, Q

from core import progress
from core.inserting import new_row
from core.tasks import task
from forum.models import (
    NOWHERE,
    DebateWords,
    Divergence,
    Job,
    Post,
    PostBody,
    PostRevision,
    PostWords,
    Question,
    Quote,
    Thread,
)
from forum.text.markup import hidden_spans

from .words import VERSION, folded, placed, stems

CHUNK = 500


# --- Rows ---------------------------------------------------------------------------------------


def made_of(post: Post, revision: PostRevision, html: str, verdicts: Iterable[str]) -> PostWords:
    """The row of a post with its thread, whose current text is `revision`, drawn as `html`;
    `verdicts` are those of the quotes in it. Unsaved."""
    hidden = hidden_spans(html, plain=revision.plain, passages=revision.passages)
    runs = visible_runs(revision.plain, revision.passages, hidden)
    own = placed(stems(revision.plain, *run) for run in runs)
    return new_row(
        PostWords,
        post_id=post.pk,
        thread_id=post.thread_id,
        revision_id=revision.pk,
        at=post.written_at or post.loaded_at,
        made=VERSION,
        words=" ".join([*own, *tags(post, verdicts)]),
    )


def visible_runs(
    plain: str, passages: Sequence[Sequence[int]], hidden: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """The stretches of a text that are read on end: its passages, parted by what is hidden, both
    ascending."""
    first = 0  # of the hidden ones, that does not end before the passage
    for start, end in passages or [(0, len(plain))]:
        while first < len(hidden) and hidden[first][1] <= start:
            first += 1
        at, n = start, first
        while n < len(hidden) and hidden[n][0] < end:  # perhaps over several passages
            yield at, max(hidden[n][0], at)
            at = min(hidden[n][1], end)
            n += 1
        yield at, end


def tags(post: Post, verdicts: Iterable[str]) -> list[str]:
    """What narrows a search to some posts, as words that no text holds."""
    verdicts = set(verdicts)
    found = [f"=t{post.thread_id}", f"=b{post.thread.board_id}", f"=k{post.thread.kind.lower()}"]
    if post.author_id:
        found.append(f"=a{post.author_id}")
    elif post.byline:
        found.append(byline_tag(post.byline))
    if post.is_opening:
        found.append("=opening")
    if post.lane:
        found.append(f"=l{post.lane}")
    if post.stance:
        found.append(f"=s{post.stance}")
    if post.minds_changed:
        found.append("=changed")
    if verdicts:
        found.append("=quote")
    return found + [f"=v{verdict}" for verdict in sorted(verdicts)]


def byline_tag(name: str) -> str:
    """The tag of a name that is no member's."""
    return f"=y{folded(name)}"


def made_of_debate(thread: Thread) -> DebateWords:
    """The row of a debate, unsaved: the words of its title, of its divergences and of what it asks,
    those in one of the first two a second time, marked so."""
    runs: list[list[str]] = [stems(thread.title)]
    marked = [_marked("t", thread.title)]
    for one in Divergence.objects.filter(thread=thread).order_by("order"):
        parts = (("", one.change), ("w", one.actor), ("p", one.place))
        for mark, text in parts:
            if text:
                runs.append(stems(text))
                marked.append(_marked("d", text))
                marked += [_marked(mark, text)] if mark else []
    asked = Question.objects.filter(thread=thread, stands=True).order_by("order")
    runs += [stems(text) for text in asked.values_list("text", flat=True)]
    return DebateWords(thread_id=thread.pk, made=VERSION, words=" ".join(placed([*runs, *marked])))


def _marked(mark: str, text: str) -> list[str]:
    return [f"{mark}={word}" for word in stems(text)]


# --- Writing ------------------------------------------------------------------------------------


_Words = TypeVar("_Words", PostWords, DebateWords)


def write(rows: Sequence[_Words]) -> None:
    """Write rows of one model, whether they are there already or not."""
    if rows:
        model = type(rows[0])
        names = [field.name for field in model._meta.fields if not field.primary_key]
        model.objects.bulk_create(
            rows,
            batch_size=CHUNK,
            update_conflicts=True,
            unique_fields=[model._meta.pk.name],
            update_fields=names,
        )


def write_posts(ids: Iterable[int]) -> None:
    """Write the rows of these posts anew, within a transaction, as they stand; some at a time."""
    every = sorted(ids)
    for at in range(0, len(every), CHUNK):
        write(rows_of(every[at : at + CHUNK]))


def rows_of(ids: Iterable[int]) -> list[PostWords]:
    """The rows that these posts should have, unsaved. Their bodies are locked, so within a
    transaction they stay right."""
    bodies = PostBody.objects.select_for_update(no_key=True).filter(post__in=list(ids))
    htmls = {body.post_id: body for body in bodies.order_by("post")}
    revisions = PostRevision.objects.in_bulk([body.revision_id for body in htmls.values()])
    verdicts: dict[int, set[str]] = {}
    for pk, verdict in Quote.objects.filter(revision__in=revisions).values_list(
        "revision_id", "verdict"
    ):
        verdicts.setdefault(pk, set()).add(verdict)
    return [
        made_of(
            post,
            revisions[htmls[post.pk].revision_id],
            htmls[post.pk].html,
            verdicts.get(htmls[post.pk].revision_id, ()),
        )
        for post in Post.objects.select_related("thread").filter(pk__in=htmls).order_by("pk")
    ]


@task
def write_thread(thread_id: int, after: int = 0) -> None:
    """Write the rows of a debate's posts anew, some of them, and leave the rest to the next job:
    what follows when posts went to another debate, or their debate to another board."""
    posts = Post.objects.filter(thread=thread_id, pk__gt=after).order_by("pk")
    ids = list(posts.values_list("pk", flat=True)[:CHUNK])
    write_posts(ids)
    if len(ids) == CHUNK:
        write_thread.enqueue(thread_id, ids[-1])


def waits(thread_id: int) -> bool:
    """Whether a debate's rows are about to be written anew."""
    jobs = Job.objects.filter(task=write_thread.module_path, failed_at=None)
    return jobs.filter(payload__args__0=thread_id).exists()


def write_all(*, everything: bool = False) -> Iterator[tuple[int, int]]:
    """Write what is missing, of an older text or made by an older version (or `everything`), while
    people write: a short transaction for some posts at a time. Yields after each how many posts
    were looked at and how many rows were written."""
    looked = written = last = 0
    total = Post.objects.exclude(thread__state__in=NOWHERE).count() if progress.is_shown() else None
    progress.begin("posts indexed", total)
    while True:
        posts = Post.objects.filter(pk__gt=last).exclude(thread__state__in=NOWHERE).order_by("pk")
        ids = list(posts.values_list("pk", flat=True)[:CHUNK])
        if not ids:
            break
        last = ids[-1]
        looked += len(ids)
        wanted = ids if everything else missing(ids)
        if wanted:
            with transaction.atomic():
                write_posts(wanted)
        written += len(wanted)
        progress.advance(len(ids))
        yield looked, written
    last = 0
    progress.begin("debates indexed")
    while threads := list(
        Thread.objects.filter(pk__gt=last).exclude(state__in=NOWHERE).order_by("pk")[:CHUNK]
    ):
        last = threads[-1].pk
        if not everything:
            known = DebateWords.objects.filter(thread__in=threads, made=VERSION)
            done = set(known.values_list("pk", flat=True))
            threads = [thread for thread in threads if thread.pk not in done]
        with transaction.atomic():
            write([made_of_debate(thread) for thread in threads])
        progress.advance(len(threads))


def missing(ids: Sequence[int]) -> list[int]:
    """Which of these posts have no row, or one that is not of their current text, of this version
    of words, or of the debate in which they stand."""
    right = PostWords.objects.filter(
        post__in=ids, made=VERSION, revision=F("post__body__revision"), thread=F("post__thread")
    )
    done = set(right.values_list("pk", flat=True))
    with_text = set(PostBody.objects.filter(post__in=ids).values_list("pk", flat=True))
    return [pk for pk in ids if pk in with_text and pk not in done]


def differing(rows: Sequence[PostWords | DebateWords]) -> list[int]:
    """The ids of those rows that do not stand so in the database: one query."""
    if not rows:
        return []
    model = type(rows[0])
    names = [field.attname for field in model._meta.fields]
    same = Q()
    for row in rows:
        same |= Q(**{name: getattr(row, name) for name in names})
    known = set(model.objects.filter(same).values_list("pk", flat=True))
    return [row.pk for row in rows if row.pk not in known]


def take_in() -> None:
    """Put the words of new posts into PostgreSQL's index, which keeps them in a list until it is
    long: otherwise the reply that finds it so pays for all."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('words_gin')")


def tidy() -> None:
    """Let no word that was taken out stay in SQLite's index, nor in the list of new ones before
    PostgreSQL's (whose pages VACUUM empties, as those of all tables): after words were erased."""
    take_in()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT gin_clean_pending_list('debate_words_gin')")
        else:
            for table in ("forum_postwords_fts", "forum_debatewords_fts"):
                cursor.execute(f"INSERT INTO {table}({table}) VALUES('optimize')")
