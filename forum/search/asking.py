"""What a query asks for in this forum, of this reader: names become ids, dates become moments."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from forum.models import Board, Divergence, Question, Thread
from forum.models.visibility import ForReader, boards_visible_to, moderates_all

from . import debate_probes
from .grammar import Filter, Phrase, Query
from .index import byline_tag
from .match import Limits, Match, Side

MOST_DEBATES = 10_000  # that are named to the database one by one
MOST_BOARDS = 50
VERDICTS = ("exact", "shortened", "altered")
# What may stand beside words and filters of debates, so that debates are shown as well.
OF_DEBATES = frozenset(("board", "kind", "pod", "place", "who", "question", "since", "until"))


@dataclass(slots=True)
class Asked:
    """`match` is asked of posts and `titles` of debates; `threads` limits posts to debates, and
    `statuses` further, once rights are asked. `nothing` says in a sentence why nothing can be
    found. `debates_only`: nothing is asked of posts."""

    query: Query
    user: User | AnonymousUser
    match: Match = field(default_factory=Match)
    titles: Match = field(default_factory=Match)
    threads: list[int] | None = None
    within: int | None = None  # the one debate that a tag in `match` asks for
    debate_rule: Q = field(default_factory=Q)
    # What debates say of themselves in their openings, as a rule and as those that say it. Both are
    # asked with the rights of a debate: `threads` alone permits nothing.
    opening_rule: Q = field(default_factory=Q)
    named: set[int] | None = None
    since: datetime | None = None
    until: datetime | None = None
    nothing: str = ""
    unnamed: str = ""  # whom no member is called
    debates_only: bool = False
    in_divergences: bool = False
    statuses: list[str] = field(default_factory=list)  # each of a quote in the post
    unseen: list[str] | None = None  # see `closed`, once it was asked

    @property
    def limits(self) -> Limits:
        """What posts are asked for besides their words."""
        return Limits(self.threads, self.since, self.until, self.within)

    @property
    def sparse(self) -> bool:
        """Whether hardly any of the posts that match may be meant: tags say too little of them."""
        return not set(VERDICTS).issuperset(self.statuses)

    def closed(self) -> list[str]:
        """The tags of the boards that the reader does not see, if they are few: of many, candidates
        are asked alone. One query at most."""
        if self.unseen is None:
            ids = [] if moderates_all(self.user) else _boards_unseen(self.user)
            self.unseen = [f"=b{pk}" for pk in ids] if len(ids) <= MOST_BOARDS else []
        return self.unseen

    @property
    def of_openings(self) -> bool:
        """Whether it is asked what openings say of their debates."""
        return bool(self.opening_rule) or self.named is not None


def understand(query: Query, user) -> Asked:
    """Ask the forum what the names in a query mean to `user`. What they may not see is not there.
    A few queries at any size."""
    asked = Asked(query, user)
    keys = {one.key for one in query.filters}
    scope = [one.value[0] for one in query.of("in")]
    of_titles = "title" in scope or "divergence" in scope
    asked.debates_only = of_titles or (
        not query.wanted
        and not query.unwanted
        and keys <= OF_DEBATES
        and bool(keys - {"since", "until"})
    )
    mark = "t=" if "title" in scope else "d=" if "divergence" in scope else ""
    asked.in_divergences = mark == "d="
    for phrase in query.wanted:
        asked.match.words.append(_sides(phrase))
        asked.titles.words.append(_sides(phrase, mark))
    asked.match.all.extend(asked.match.words)
    asked.titles.all.extend(asked.titles.words)
    asked.match.none.extend(Side(phrase.words) for phrase in query.unwanted)
    asked.titles.none.extend(side for phrase in query.unwanted for side in _sides(phrase, mark))
    for one in query.filters:
        _READ[one.key](asked, one)
        if asked.nothing:
            return asked
    if asked.named is not None:
        _named(asked, asked.named)
    return asked


def _sides(phrase: Phrase, mark: str = "") -> list[Side]:
    sides = [Side(tuple(f"{mark}{word}" for word in phrase.words), phrase.prefix)]
    if phrase.prefix and phrase.stem != phrase.words[0]:
        sides.append(Side((f"{mark}{phrase.stem}",)))
    return sides


def _tag(asked: Asked, one: Filter, *tags: str) -> None:
    if one.negated:
        asked.match.refuse(tags)
    else:
        asked.match.want(tags)


def _by(asked: Asked, one: Filter) -> None:
    name = one.value[0]
    if name.lower() == "me":
        if not asked.user.is_authenticated:
            asked.nothing = "Sign in to search what you wrote yourself."
        else:
            _tag(asked, one, f"=a{asked.user.pk}")
            asked.debate_rule &= _or_not(Q(author=asked.user.pk), one)
        return
    member = (
        User.objects.named(name).filter(is_active=True).first()
        or User.objects.once_named(name).filter(is_active=True).order_by("pk").first()
    )
    tags = [byline_tag(name)]
    rule = Q(author=None, byline__iexact=name)
    if member is not None:
        tags.append(f"=a{member.pk}")
        rule |= Q(author=member.pk)
    else:
        asked.unnamed = name
    _tag(asked, one, *tags)
    asked.debate_rule &= _or_not(rule, one)


def _board(asked: Asked, one: Filter) -> None:
    name = one.value[0]
    seen = list(boards_visible_to(asked.user).in_order())
    # The address names one board; a name may be that of several.
    roots = [b for b in seen if b.slug == name.lower()] or [
        b for b in seen if b.name.lower() == name.lower()
    ]
    if not roots:
        asked.nothing = f"There is no board “{name}”."
        return
    ids = sorted(
        board.pk
        for board in seen
        if any(
            board.tree_id == root.tree_id and root.lft <= board.lft and board.rght <= root.rght
            for root in roots
        )
    )
    _tag(asked, one, *(f"=b{pk}" for pk in ids))
    asked.debate_rule &= _or_not(Q(board__in=ids), one)


def _kind(asked: Asked, one: Filter) -> None:
    _tag(asked, one, *(f"=k{kind.lower()}" for kind in one.value))
    asked.debate_rule &= _or_not(Q(kind__in=one.value), one)


def _in(asked: Asked, one: Filter) -> None:
    scope = one.value[0]
    if scope == "opening":
        _tag(asked, one, "=opening")
    elif isinstance(scope, int):
        target = Thread.objects.filter(pk=scope).values_list("merged_into", flat=True).first()
        _tag(asked, one, f"=t{target or scope}")
        asked.within = asked.within if one.negated else target or scope
    elif one.negated:
        asked.nothing = f"“{one.typed}” cannot be negated. Leave the “-” out."


def _status(asked: Asked, one: Filter) -> None:
    """The one word that is shown for a quote depends on who reads: tags only say which posts may
    hold such a quote."""
    status = one.value[0]
    tags = {"edited": ("exact", "shortened"), "removed": VERDICTS, "unverifiable": None}
    among = tags.get(status, (status,))
    _tag(asked, one, *(["=quote"] if among is None else [f"=v{verdict}" for verdict in among]))
    asked.statuses.append(status)


def _since(asked: Asked, one: Filter) -> None:
    moment = _moment(one.value[0])
    asked.since = max(asked.since or moment, moment)
    asked.debate_rule &= Q(created_at__gte=moment)


def _until(asked: Asked, one: Filter) -> None:
    moment = _moment(one.value[1], after=True)
    asked.until = min(asked.until or moment, moment)
    asked.debate_rule &= Q(created_at__lt=moment)


def _moment(day: date, *, after: bool = False) -> datetime:
    """When a day begins for the reader, or the day after it."""
    if after and day < date.max:
        day += timedelta(days=1)
    day = min(max(day, date(2, 1, 1)), date(9999, 12, 30))
    return timezone.make_aware(datetime.combine(day, time.min))


def _pod(asked: Asked, one: Filter) -> None:
    rows = Divergence.objects.between(*one.value)
    asked.opening_rule &= Q(pk__in=rows.values("thread"))
    _named(asked, rows.values_list("thread", flat=True)[: MOST_DEBATES + 1])


def _part(mark: str):
    def take(asked: Asked, one: Filter) -> None:
        match = Match(all=[[Side(tuple(f"{mark}={word}" for word in one.value))]])
        found = set(debate_probes.debates(match, MOST_DEBATES))
        asked.named = found if asked.named is None else asked.named & found

    return take


def _question(asked: Asked, one: Filter) -> None:
    rows = Question.objects.filter(stands=True)
    rows = (
        rows.filter(answer_count=0) if one.value[0] == "open" else rows.filter(answer_count__gt=0)
    )
    asked.opening_rule &= Q(pk__in=rows.values("thread"))
    _named(asked, rows.values_list("thread", flat=True)[: MOST_DEBATES + 1])


def _named(asked: Asked, found: Iterable[int]) -> None:
    """Limit the search to debates that say so of themselves, if they are not too many."""
    if asked.debates_only:
        return
    ids = list(found)
    if len(ids) <= MOST_DEBATES:
        among = ids if asked.threads is None else asked.threads
        asked.threads = sorted(set(ids).intersection(among))


def _or_not(rule: Q, one: Filter) -> Q:
    return ~rule if one.negated else rule


_READ = {
    "by": _by,
    "board": _board,
    "kind": _kind,
    "in": _in,
    "lane": lambda asked, one: _tag(asked, one, f"=l{one.value[0]}"),
    "stance": lambda asked, one: _tag(asked, one, f"=s{one.value[0]}"),
    "has": lambda asked, one: _tag(asked, one, "=quote"),
    "is": lambda asked, one: _tag(asked, one, "=changed"),
    "status": _status,
    "since": _since,
    "until": _until,
    "pod": _pod,
    "place": _part("p"),
    "who": _part("w"),
    "question": _question,
}


_boards_unseen = ForReader(
    "boards_unseen",
    lambda user: (
        Board.objects.exclude(pk__in=boards_visible_to(user).values("pk"))
        .order_by("pk")
        .values_list("pk", flat=True)[: MOST_BOARDS + 1]
    ),
)
