"""The outline of a debate: passages, with what supports and disputes them.

It is made of the stances that replies take, toward the post they answer or toward single quotes.
The stance of a reply that quotes one passage of the post it answers is a stance to that passage.
Only posts that stand in the debate count, for moderators too: an outline is read by everybody.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db.models import F

from forum.models import Answer, ChangeOfMind, Post, Quote, Stance, State, Thread
from forum.text.markup import passages_without_spoilers

from .posts import ignored_by

EXCERPT = 240  # characters of a passage on the page
LONGEST = 2_000  # and in a download
MAX_DEPTH = 8  # of nested lists; what lies deeper stays at the last level, and says what it answers
MOST_ANSWERS = 200  # of all questions together
MOST_MINDS = 200


@dataclass(slots=True)
class Passage:
    """Words that somebody takes a stance to: passage 0 is the whole post."""

    post: Post
    passage: int
    text: str
    entries: list["Entry"] = field(default_factory=list)

    @property
    def writer(self) -> str:
        """Who said it; nobody, where only a placeholder stands."""
        return self.post.writer if self.post.state == State.VISIBLE else ""

    @property
    def title(self) -> str:
        """Its name in downloads: 5.4 is the fourth passage of #5."""
        return f"{self.post.number}.{self.passage}" if self.passage else str(self.post.number)

    @property
    def label(self) -> str:
        """Its name on pages: ¶ 5.4, or #5 for a whole post."""
        return f"¶ {self.title}" if self.passage else f"#{self.title}"


@dataclass(slots=True)
class Entry:
    """One stance: the reply that takes it, in its own words."""

    post: Post
    stance: str
    text: str
    toward: Passage
    ignored: bool = False
    minds: list[ChangeOfMind] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The stance in words."""
        return Stance(self.stance).label

    @property
    def toward_label(self) -> str:
        """What it is toward, as the words go on behind the stance."""
        joined = {Stance.ASKS: "about ", Stance.EVIDENCE: "to "}.get(Stance(self.stance), "")
        return joined + self.toward.label


@dataclass(slots=True)
class Outline:
    """A part of an outline: passages by number; `after` is where the next part begins."""

    thread: Thread
    passages: list[Passage]
    after: int | None
    answers: list[tuple[str, list[Answer]]] = field(default_factory=list)

    def entries(self) -> list[Entry]:
        """All stances of this part, by the number of the reply."""
        found = [entry for passage in self.passages for entry in passage.entries]
        return sorted(found, key=lambda entry: (entry.post.number, entry.toward.title))


def outline_of(thread: Thread, user, *, first: int, most: int) -> Outline:
    """The stances that the posts from number `first` on take, at most those of `most` posts.
    The number of queries does not depend on how many there are."""
    argued, after = _argued(thread, first, most)
    ids = list(argued)
    quotes = defaultdict(list)
    for row in Quote.objects.filter(
        post_id__in=ids, revision_id=F("post__body__revision_id"), source_post__thread=thread
    ).order_by("ordinal"):
        quotes[row.post_id].append(row)
    sources = (row.source_post_id for rows in quotes.values() for row in rows)
    opening_id = Post.objects.opening_of(thread.pk).values_list("pk", flat=True).first()
    wanted = {*ids, *argued.values(), *sources, opening_id} - {None}
    # By ids alone: of who answers whom, or stands first, a database may read the whole debate.
    known = (
        Post.objects.filter(thread=thread, number__isnull=False)
        .select_related("author", "body__revision")
        .in_bulk(wanted)
    )
    opening = known.get(opening_id)
    passages: dict[tuple[int, int], Passage] = {}
    shown: dict[int, list[str]] = {}
    ignoring = ignored_by(user)
    minds = _minds([pk for pk in ids if known[pk].minds_changed])
    for pk in ids:
        post = known[pk]
        answered = known.get(post.parent_id) if post.parent_id else opening
        for stance, source, passage in _stances(post, quotes[pk], answered):
            if source not in known:
                continue
            key = (source, passage)
            if key not in passages:
                target = known[source]
                passages[key] = Passage(target, passage, _words(target, passage, ignoring, shown))
            entry = Entry(
                post,
                stance,
                _words(post, 0, ignoring, shown),
                passages[key],
                post.author_id in ignoring,
                minds.get(pk, []),
            )
            passages[key].entries.append(entry)
    ordered = sorted(passages.values(), key=lambda p: (p.post.number, p.passage))
    return Outline(thread, ordered, after, _answers(thread))


def _argued(thread: Thread, first: int, most: int) -> tuple[dict[int, int | None], int | None]:
    """The posts from `first` on that take a stance, in the order of their numbers, each with what
    it answers (None: the opening), and where the next part begins."""
    posts = Post.objects.filter(thread=thread, state=State.VISIBLE, number__gte=first)
    rows = posts.exclude(stance="").order_by("number").values_list("number", "pk", "parent_id")
    found = {number: (pk, parent) for number, pk, parent in rows[: most + 1]}
    quoting = Quote.objects.exclude(stance="").filter(
        post__thread=thread,
        post__state=State.VISIBLE,
        post__number__gte=first,
        revision_id=F("post__body__revision_id"),
    )
    quoted = quoting.order_by("post__number").values_list(
        "post__number", "post_id", "post__parent_id"
    )
    found |= {number: (pk, parent) for number, pk, parent in quoted.distinct()[: most + 1]}
    numbers = sorted(found)
    after = numbers[most] if len(numbers) > most else None
    return dict(found[number] for number in numbers[:most]), after


def _stances(
    post: Post, quotes: Sequence[Quote], answered: Post | None
) -> Iterator[tuple[str, int, int]]:
    """(stance, post, passage) of all that one reply takes."""
    for row in quotes:
        if row.stance:
            yield row.stance, row.source_post_id or 0, 0 if row.whole else row.source_passage or 0
    if post.stance and answered is not None:
        of_it = [row for row in quotes if row.source_post_id == answered.pk]
        one = len(of_it) == 1 and not of_it[0].stance and not of_it[0].whole
        yield post.stance, answered.pk, (of_it[0].source_passage or 0) if one else 0


def _words(post: Post, passage: int, ignoring, shown: dict[int, list[str]]) -> str:
    """The words of a passage, on one line; of a post that does not stand, or whose writer the
    reader ignores, none. `shown` keeps those of all passages, by post."""
    if post.state != State.VISIBLE or post.author_id in ignoring:
        return ""
    revision = post.body.revision
    if post.pk not in shown:
        shown[post.pk] = passages_without_spoilers(
            post.body.html, plain=revision.plain, passages=revision.passages
        )
    plain = "\n\n".join(filter(None, shown[post.pk]))
    if 0 < passage <= len(revision.passages):
        plain = shown[post.pk][passage - 1]
    words = " ".join(plain[: 2 * LONGEST].split())
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def _minds(post_ids: Sequence[int]) -> dict[int, list[ChangeOfMind]]:
    found = defaultdict(list)
    if post_ids:
        rows = ChangeOfMind.objects.filter(post__in=post_ids).select_related("member")
        for row in rows.order_by("-pk")[:MOST_MINDS]:
            found[row.post_id].append(row)
    return found


def _answers(thread: Thread) -> list[tuple[str, list[Answer]]]:
    """The questions of the opening, while that stands, with the posts that answer them."""
    asked = thread.shown_card.get("questions", [])
    if not any(one["answers"] for one in asked):
        return [(one["text"], []) for one in asked]
    rows = Answer.objects.filter(
        question__thread=thread, post__thread=thread, post__state=State.VISIBLE
    ).select_related("post__author")
    found = defaultdict(list)
    for row in rows.order_by("post__number")[:MOST_ANSWERS]:
        found[row.question_id].append(row)
    return [(one["text"], found[one["id"]]) for one in asked]


# --- As nested text -----------------------------------------------------------------------------


def nested(outline: Outline) -> list[tuple[str, Passage | Entry | None]]:
    """The outline as a page writes it down: ("passage", …), ("entry", …) and ("open" or "close",
    None) for the lists. A reply that is argued about itself carries that below its first entry."""
    below = defaultdict(list)
    for passage in outline.passages:
        below[passage.post.pk].append(passage)
    argued = {entry.post.pk for passage in outline.passages for entry in passage.entries}
    roots = [pk for pk in below if pk not in argued]
    rows: list[tuple[str, Passage | Entry | None]] = []
    listed: set[int] = set()
    # Those whose stances lead in a circle hang below no root: they come last.
    for root in [*roots, *(pk for pk in below if pk in argued)]:
        if root in listed:
            continue
        listed.add(root)
        stack: list[Iterator[Passage | Entry]] = [iter(below[root])]
        depth = 0
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
                if stack:
                    depth -= 1
                    if depth < MAX_DEPTH:
                        rows.append(("close", None))
                continue
            rows.append(("passage" if isinstance(item, Passage) else "entry", item))
            inner: Sequence[Passage | Entry] = []
            if isinstance(item, Passage):
                inner = item.entries
            elif item.post.pk in below and item.post.pk not in listed:
                listed.add(item.post.pk)
                # Its words stand in the entry: what is said to all of them follows at once.
                inner = [
                    row
                    for passage in below[item.post.pk]
                    for row in ([passage] if passage.passage else passage.entries)
                ]
            if inner:
                if depth < MAX_DEPTH:
                    rows.append(("open", None))
                depth += 1
                stack.append(iter(inner))
    return rows
