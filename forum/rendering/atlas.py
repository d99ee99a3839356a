"""Maps, flags and covers outside of their posts: the atlas of a debate, in the order of its
moments, and the gallery of all debates. Both show what stands openly in a post that stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from forum.models import Divergence, Picture, PictureUse, Post, State, Thread
from forum.models.visibility import openings_visible_to, uses_visible_to
from forum.text import markup
from forum.text.history_dates import EARLIEST, LATEST, day, year_of

from .divergence_axis import ERAS, label, percent
from .maps import REGIONS
from .quotes import ignored_by

APART = 9.0  # percent of the line that a year takes
LOOKED_AT = 500  # pictures among which one page of the gallery looks for what was asked


@dataclass(frozen=True, slots=True)
class Plate:
    """A picture, and the post that shows it."""

    picture: Picture
    post: Post


@dataclass(frozen=True, slots=True)
class Ring:
    """A map on the line of an atlas: where, whose, and its year where there is room for it."""

    x: str
    picture: Picture
    year: str


def standing_uses(user) -> QuerySet[PictureUse]:
    """What the texts of today show, in posts that stand and that `user` reads."""
    uses = uses_visible_to(user).filter(post__state=State.VISIBLE, post__number__isnull=False)
    return uses.filter(revision=F("post__body__revision")).exclude(
        post__author__in=ignored_by(user)
    )


def in_thread(
    thread: Thread, user, *, behind: Picture | None, most: int
) -> tuple[list[Plate], Picture | None]:
    """A page of up to `most` maps of a debate by their moments, those after the map `behind`; and
    the map after which the next page goes on, if there is more to look at. One query."""
    uses = standing_uses(user).filter(thread=thread)
    uses = uses.filter(picture__shows=Picture.Shows.MAP, picture__state=Picture.State.READY)
    if behind is not None:
        same = Q(picture__first_day=behind.first_day)
        later = same & Q(picture__last_day=behind.last_day, picture__gt=behind)
        later |= same & Q(picture__last_day__gt=behind.last_day)
        uses = uses.filter(Q(picture__first_day__gt=behind.first_day) | later)
    rows = uses.order_by("picture__first_day", "picture__last_day", "picture", "post__number")
    found = list(rows.select_related("picture", "post__author", "post__body")[: most + 1])
    if len(found) <= most:
        return _plates(found), None
    # A map whose posts do not all fit is for the next page: one of them may show it openly.
    cut = found.pop().picture_id
    found = [use for use in found if use.picture_id != cut] or found
    return _plates(found), found[-1].picture


def _plates(uses: Iterable[PictureUse]) -> list[Plate]:
    """Each picture once; none that its post covers with a spoiler."""
    found: dict[int, Plate] = {}
    for use in uses:
        if use.picture_id not in found:
            if use.picture.key in markup.keys_in(markup.without_spoilers(use.post.body.html)):
                found[use.picture_id] = Plate(use.picture, use.post)
    return list(found.values())


def line(plates: Sequence[Plate]) -> list[Ring]:
    """Where the maps stand on a line from the first of them to the last."""
    years = [_middle(plate.picture) for plate in plates]
    if not years:
        return []
    low, span = min(years), max(years) - min(years)
    rings, free = [], 0.0
    for plate, year in zip(plates, years, strict=True):
        place = 5 + 90 * (year - low) / span if span else 50.0
        roomy = place >= free
        rings.append(Ring(percent(place), plate.picture, label(year) if roomy else ""))
        free = place + APART if roomy else free
    return rings


def _middle(picture: Picture) -> int:
    """The year in the middle of what a moment may mean; of an open one the end that is known."""
    first, last = picture.first_day or 0, picture.last_day or 0
    if first <= EARLIEST or last >= LATEST:
        return year_of(last if first <= EARLIEST else first)
    return year_of((first + last) // 2)


def gallery(
    user, *, shows: str, era: int | None, region: str, before: int | None, most: int
) -> tuple[list[Plate], int | None, int]:
    """A page of up to `most` maps, flags or covers of all debates, newest first, those sent before
    the one with the id `before`; the id before which the next page goes on; and among how many it
    looked where that was not enough to fill the page, 0 otherwise. `era` is a place in ERAS, of the
    moment of a map and of the divergence behind any other; `region` a name of REGIONS, in which the
    debate leaves history. Of a choice that hardly matches, a page shows what is among the next
    LOOKED_AT pictures: all that were ever marked are not walked at once. Three queries."""
    uses = standing_uses(user).filter(picture=OuterRef("pk"))
    # SQLite takes the index of marked pictures only where that is said as the index says it.
    marked = Picture.objects.exclude(shows=Picture.Shows.PICTURE)
    rows = marked.filter(shows=shows, state=Picture.State.READY)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    bound = rows.order_by("-pk").values_list("pk", flat=True)[LOOKED_AT - 1 : LOOKED_AT + 1]
    end = bound[0] if len(bound) > 1 else None
    if end is not None:
        rows = rows.filter(pk__gte=end)
    opening = openings_visible_to(user).filter(pk=OuterRef("thread")).values("pk")
    forks = Divergence.objects.filter(thread=OuterRef("thread"))
    forks = forks.alias(seen=Subquery(opening)).filter(seen__isnull=False)
    if era is not None:
        first = day(ERAS[era][1], 1, 1) if era else EARLIEST
        last = day(ERAS[era][2], 1, 1) - 1 if era + 1 < len(ERAS) else LATEST
        if shows == Picture.Shows.MAP:
            rows = rows.filter(first_day__lte=last, last_day__gte=first)
        else:
            uses = uses.filter(Exists(forks.between(first, last)))
    if region:
        uses = uses.filter(Exists(forks.lying_within(REGIONS[region][1].box)))
    one = Subquery(uses.order_by("pk").values("pk")[:1])
    chosen = rows.annotate(use=one).filter(use__isnull=False).order_by("-pk")
    ids = list(chosen.values_list("pk", "use")[: most + 1])
    found = PictureUse.objects.filter(pk__in=[use for _, use in ids[:most]]).order_by("-picture")
    found = found.select_related("picture", "post__author", "post__body", "post__thread")
    if len(ids) > most:
        return _plates(found), ids[most - 1][0], 0
    return _plates(found), end, LOOKED_AT if end is not None else 0
