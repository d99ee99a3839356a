"""Has this been argued already? Finds the debates that one about to be opened may repeat.

A debate is known by the normalised words of its title and its divergences (models.ThreadWord). The
rarer a word among the debates, the more it tells (inverse document frequency, after K. Spärck
Jones, 1972); what two debates share is set against what the shorter of them says (the overlap
coefficient). Dates that overlap speak for the same debate, dates apart against it; a shared place
or actor speaks for it. The figures are defended in docs/decisions/ against labelled pairs.

The number of queries is fixed, and the rows that each reads are bounded by the words asked for:
a word that stands in debates more than COMMON times is not counted further, and leads nowhere.
"""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import log

from django.db import connections
from django.db.models import (
    Case,
    Count,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)

from forum.models import Divergence, Question, State, Thread, ThreadWord
from forum.models.listing import for_listing
from forum.models.visibility import threads_visible_to

SHOWN = 5
CANDIDATES = 40
MAX_WORDS = 60  # of the debate asked about
COMMON = 400  # how often debates hold a word before it tells too little to look for
ENOUGH = 0.42  # the least score that is shown
NEAR = 400  # days between two dates that still may mean the same event, where one is vague
SEASON = 92  # the same of two dates that are known to the season or better
NOW = date(2000, 1, 1).toordinal()  # from here on back, dates are remembered less and less well
ROLE = ThreadWord.Role
_WORD = re.compile(r"[^\W_]+")
# What debates say whatever they are about.
_STOP = frozenset(
    "a an and are as at after again against all also any be been before but by can could did do "
    "does during each else ever for from get gets got had has have he her him his how if in "
    "instead into is it its just last late let like made make makes may might more most much must "
    "never no nobody not nothing now of off on one only or other our out over own she should since "
    "so some still such take taken takes than that the their them then there these they this those "
    "through to too two under until up upon us very was way we were what when where whether which "
    "while who whom why will with without would years year you your "
    "what-if wi ahc pc dbwi tl challenge plausibility check timeline alternate history scenario "
    "survive survives survived live lives lived die dies died win wins won lose loses lost fall "
    "falls fell fail fails failed happen happens happened keep keeps kept stay stays stayed come "
    "comes came go goes went become becomes became use uses used early earlier later better "
    "great new old first second third war wars battle battles empire empires king kings queen "
    "emperor general army armies world state states country countries successful possible".split()
)


def words_of(text: str) -> set[str]:
    """The telling words of a text: without accents, case, endings of the plural and the possessive,
    and without those that every debate holds."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign)).replace("'s", "")
    found = {_stem(word) for word in _WORD.findall(plain) if word not in _STOP}
    return {word[:40] for word in found if len(word) > 2 and word not in _STOP}


def _stem(word: str) -> str:
    if word.isdecimal():
        return ""  # dates are compared as dates
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if word.endswith(ending) and len(word) > 4 and not word.endswith(("ss", "us", "is")):
            return word[: -len(ending)] + instead
    return word


def words_by_role(title: str, divergences: Iterable) -> dict[str, set[str]]:
    """The words of a debate by where they stand; `divergences` have change, place and actor."""
    found: dict[str, set[str]] = {role: set() for role in ROLE.values}
    found[ROLE.TITLE] = words_of(title)
    for divergence in divergences:
        found[ROLE.CHANGE] |= words_of(divergence.change)
        found[ROLE.PLACE] |= words_of(divergence.place)
        found[ROLE.ACTOR] |= words_of(divergence.actor)
    return found


@dataclass(slots=True)
class Similar:
    """A debate that may be the same, how sure that is (0 to 1), why, and what it still asks."""

    thread: Thread
    score: float
    shared: list[str]
    unanswered: list[Question] = field(default_factory=list)


def already_argued(
    user,
    *,
    spans: Sequence[tuple[int, int]],
    words: dict[str, set[str]],
    besides: int = 0,
) -> list[Similar]:
    """The debates that `user` may see and that one with these days of divergence and these words
    (`words_by_role`) may repeat, the likeliest first; not the one with the id `besides`. Eight
    queries at most at any size."""
    asked = set().union(*words.values())
    if not asked:
        return []
    threads = threads_visible_to(user).filter(state=State.VISIBLE).exclude(pk=besides)
    # Asked of each row: a list of all debates that are seen would be as long as the forum.
    seen = Subquery(threads.filter(pk=OuterRef("thread")).values("pk"))
    held = ThreadWord.objects.alias(seen=seen).filter(seen__isnull=False)
    known = _counted(sorted(asked)[:MAX_WORDS], held)
    if not known:
        return []
    weight = _Weights(known)
    ids = _candidates(held, weight, spans)
    theirs: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for pk, word, role in ThreadWord.objects.filter(thread__in=ids).values_list(
        "thread_id", "word", "role"
    ):
        theirs[pk][role].add(word)
    days = defaultdict(list)
    for pk, first, last in Divergence.objects.filter(thread__in=ids).values_list(
        "thread_id", "first_day", "last_day"
    ):
        days[pk].append((first, last))
    scored = []
    for pk in ids:
        score, shared = _score(words, theirs[pk], spans, days[pk], weight)
        if score >= ENOUGH:
            scored.append((score, pk, shared))
    scored.sort(reverse=True)
    rows = for_listing(threads_visible_to(user)).in_bulk([pk for _, pk, _ in scored])
    # What is like it is told by the words of the opening, where that stands.
    scored = [row for row in scored if row[1] in rows and rows[row[1]].opening_stands][:SHOWN]
    found = [Similar(rows[pk], score, shared) for score, pk, shared in scored]
    shown = [similar.thread for similar in found]
    open_questions = defaultdict(list)
    for question in Question.objects.unanswered().filter(thread__in=shown).order_by("order"):
        open_questions[question.thread_id].append(question)
    for similar in found:
        similar.unanswered = open_questions[similar.thread.pk]
    return found


# The words of a list as rows, and how often each is held at all, as far as that is counted.
_LISTED = {"postgresql": "unnest(%s::text[]) asked(value)", "sqlite": "json_each(%s) asked"}
_OFTEN = """SELECT value, (
    SELECT COUNT(*) FROM (SELECT 1 FROM "forum_threadword" WHERE word = value LIMIT %s) counted
) FROM {listed}"""


def _counted(words: list[str], held: QuerySet[ThreadWord]) -> dict[str, int]:
    """How many of the debates whose words are `held` have each of these words; without the words
    that none of them has. A word that stands anywhere more often than COMMON times counts as one
    more than that. Two queries."""
    using = connections[ThreadWord.objects.db]
    listed = words if using.vendor == "postgresql" else json.dumps(words)
    with using.cursor() as cursor:
        cursor.execute(_OFTEN.format(listed=_LISTED[using.vendor]), [COMMON + 1, listed])
        often = dict(cursor.fetchall())
    few = [word for word in words if 0 < often[word] <= COMMON]
    rows = held.filter(word__in=few).order_by().values_list("word")
    known = dict(rows.annotate(Count("thread", distinct=True)))
    return known | {word: COMMON + 1 for word in words if often[word] > COMMON}


class _Weights:
    """How much each word tells: much if few debates hold it. Of how many it is one of counts up to
    ALL: a small forum knows too few debates to tell a rare word from a common one, and in a large
    one nobody waits until those with a common word are counted."""

    ALL = 500

    def __init__(self, known: dict[str, int]) -> None:
        self.known = known

    def of(self, word: str) -> float:
        return log(1 + self.ALL / (self.known.get(word, 1) or 1))

    def sum(self, words: Iterable[str]) -> float:
        return sum(map(self.of, words))


def _candidates(held: QuerySet[ThreadWord], weight: _Weights, spans) -> list[int]:
    """The debates that share the most telling words, and those that share any and its date; `held`
    are the words of all that come into question."""
    known = weight.known
    rare = [word for word in known if known[word] <= COMMON]
    if not rare:
        # The longest of words that all are common, where they were said last.
        rare = sorted(known, key=lambda word: (-len(word), word))[:2]
        last = held.filter(word=rare[0]).order_by("-thread").values("thread")[:COMMON]
        held = held.filter(thread__in=last)
    rows = held.filter(word__in=rare).order_by()
    worth = Case(
        *(When(word=word, then=Value(weight.of(word))) for word in rare),
        output_field=FloatField(),
    )
    by_words = (
        rows.values_list("thread_id").annotate(worth=Sum(worth)).order_by("-worth", "-thread_id")
    )
    ids = [pk for pk, _ in by_words[:CANDIDATES]]
    if spans:
        when = Q()
        for first, last in spans:
            when |= Q(first_day__lte=last + NEAR, last_day__gte=first - NEAR)
        near = Subquery(Divergence.objects.filter(when, thread=OuterRef("thread")).values("pk")[:1])
        dated = rows.alias(near=near).filter(near__isnull=False)
        # Not put in order by the database, which would go through the words of all debates for it.
        ids += sorted(set(dated.values_list("thread_id", flat=True)), reverse=True)[:CANDIDATES]
    return list(dict.fromkeys(ids))


def _score(mine, theirs, spans, days, weight: _Weights) -> tuple[float, list[str]]:
    own, other = set().union(*mine.values()), set().union(*theirs.values())
    shared = own & other
    least = min(weight.sum(own), weight.sum(other))
    if not shared or not least:
        return 0.0, []
    score = 0.75 * weight.sum(shared) / least
    when = _when(spans, days)
    if len(shared) < 2 and when <= 0:
        score *= 0.6  # one name alone has many debates
    score += when
    for role in (ROLE.PLACE, ROLE.ACTOR):
        if mine[role] & other or theirs[role] & own:
            score += 0.06
    return score, sorted(shared, key=weight.of, reverse=True)


def _when(spans, days) -> float:
    """What the dates of two debates say: for the same moment, for another one, or nothing."""
    found = [_moment(*span, *other) for span in spans for other in days]
    return max(found, default=0.0)


def _moment(first: int, last: int, start: int, end: int) -> float:
    """What two dates say: over 0 for the same moment, below for another one. Those known to the
    season name the same event if no more than a season lies between; vague ones, about a year.
    Within a hundredth of their age, two dates may be two reckonings of one event and say nothing.
    """
    apart = max(first - end, start - last, 0)
    vague = max(last - first, end - start) > SEASON
    if apart <= (NEAR if vague else SEASON):
        return 0.25
    return 0.0 if apart <= max(NEAR, (NOW - max(last, end)) // 100) else -0.3
