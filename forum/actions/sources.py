"""Where the words of a quote come from. Reads only, before any lock."""

from django.db.models import Count

from forum.text import quoting

from ..models import PassageKey, Post, PostRevision, Quote, State, Thread
from ..models.visibility import posts_visible_to
from ..search import phrases

# Older texts of a named source that are tried when its current one does not hold the words: the
# writer may have quoted what was edited while the form was open.
OLDER_REVISIONS = 20
# Posts that the thread's index of passages may propose for one quote: the best by shared keys, and
# the earliest of those that share at least half as many as the best. Copies of a passage share
# almost as many as it does: the words around them move a few keys.
PROPOSED = 5
LOOKED_AT = 100


class Search:
    """Looks for the words of a text's quotes where they may come from, within one budget."""

    def __init__(self, user, thread: Thread | None, parent: Post | None, quoting_post) -> None:
        self.user, self.thread, self.parent = user, thread, parent
        self.quoting_post = quoting_post
        self.budget = quoting.Budget()
        self.older: dict[int, list[tuple[Post, PostRevision]]] = {}

    def find(
        self, words: str, named: Post | None
    ) -> tuple[quoting.Match, tuple[Post, PostRevision] | None]:
        """How the words compare with their source, and that: the post that the writer named, the
        one that is answered, what the debate's index proposes, older texts of the one named."""
        try:
            match, revisions = self._find(words, named)
            source = next(((p, r) for p, r in revisions if r.pk == match.key), None)
            if source:
                self._charge_excerpt(*source)
        except quoting.TooMuch:
            return quoting.TOO_MUCH, None
        return match, source

    def _find(self, words: str, named: Post | None):
        candidates = [post for post in (named, self.parent) if post is not None]
        candidates = list({post.pk: post for post in candidates}.values())
        revisions = [(post, post.body.revision) for post in candidates]
        match = self._compare(words, revisions, named=1 if named else 0)
        if not named and self.thread is not None and match.verdict != Quote.Verdict.EXACT:
            revisions += [
                (post, post.body.revision)
                for post in proposed(words, self.user, self.thread)
                if post.pk != self.quoting_post
            ]
            match = self._compare(words, revisions, named=0)
        if named and match.verdict not in (Quote.Verdict.EXACT, Quote.Verdict.SHORTENED):
            older = self._older(named)
            before = self._compare(words, older, named=len(older))
            if before.stopped or before.verdict in (Quote.Verdict.EXACT, Quote.Verdict.SHORTENED):
                revisions, match = older, before
        return match, revisions

    def _compare(self, words: str, revisions, *, named: int) -> quoting.Match:
        sources = [quoting.Source(revision.pk, revision.plain) for _, revision in revisions]
        return quoting.find(words, sources, named=named, budget=self.budget)

    def _older(self, post: Post) -> list[tuple[Post, PostRevision]]:
        """The older texts of a post, read once."""
        if post.pk not in self.older:
            self.budget.spend(10_000 + OLDER_REVISIONS // 2 * len(post.body.revision.plain))
            rows = post.revisions.order_by("-number")[1 : OLDER_REVISIONS + 1]
            self.older[post.pk] = [(post, revision) for revision in rows]
        return self.older[post.pk]

    def _charge_excerpt(self, post: Post, revision: PostRevision) -> None:
        """Count what it takes to cut the words out of the HTML of their source."""
        if post.body.revision_id == revision.pk:
            self.budget.spend(5 * post.body.html.count("<"))
        else:
            self.budget.prepare("HTML", revision.plain, 10 * len(revision.source))


def proposed(words: str, user, thread: Thread) -> list[Post]:
    """Posts of the thread that may hold `words`, the earliest first, by its index of passages and,
    as that promises nothing of fewer than 28 words, by that of words: as quick in a thread of
    100,000 posts as in one of ten. Whose words they are is who wrote them first, not who copied
    them last. Fewer than five words count where they are a whole paragraph somewhere."""
    keys = [signed(quoting.key_of(words)), *map(signed, quoting.shingle_keys(words))]
    rows = list(
        PassageKey.objects.filter(thread=thread, key__in=keys, post__state=State.VISIBLE)
        .values("post_id")
        .annotate(shared=Count("key", distinct=True))
        .order_by("-shared", "post_id")
        .values_list("post_id", "shared")[:LOOKED_AT]
    )
    best = [pk for pk, _ in rows[:PROPOSED]]
    likely = sorted(pk for pk, shared in rows if 2 * shared >= rows[0][1])
    visible = posts_visible_to(user).filter(state=State.VISIBLE)
    first: list[int] = []
    if rows or len(keys) > 1:
        pieces = [piece for line in words.split("\n") for piece in quoting.ELLIPSIS.split(line)]
        held = phrases.earliest(pieces, thread, LOOKED_AT)
        numbered = visible.filter(pk__in=held, thread=thread).order_by("number")
        first = list(numbered.values_list("pk", flat=True)[:PROPOSED])
    posts = visible.filter(pk__in={*first, *best, *likely[:PROPOSED]}).select_related(
        "thread__board", "body__revision"
    )
    return sorted(posts, key=lambda post: post.number or 0)


def signed(key: bytes) -> int:
    """A key of the index of passages as the database holds it."""
    return int.from_bytes(key, "big", signed=True)
