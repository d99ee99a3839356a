"""The atlas of a debate, two of its maps compared, and the gallery of all debates."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from forum.rendering import atlas as plates
from forum.rendering import maps
from forum.rendering.divergence_axis import ERAS

from ..models import Picture
from ..permissions import may
from .fetch import thread_or_404
from .pictures import picture_or_404

ON_A_PAGE = 30
IN_THE_GALLERY = 24
KINDS = (
    (Picture.Shows.MAP, "Maps"),
    (Picture.Shows.FLAG, "Flags"),
    (Picture.Shows.COVER, "Covers"),
)


def atlas(request: HttpRequest, thread_id) -> HttpResponse:
    """The maps of a debate in the order of their moments, and two of them on one frame."""
    thread = thread_or_404(request.user, thread_id)
    after = request.GET.get("after", "")
    behind = picture_or_404(request.user, after) if after else None
    if behind is not None and behind.shows != Picture.Shows.MAP:
        raise Http404
    found, last = plates.in_thread(thread, request.user, behind=behind, most=ON_A_PAGE)
    by_key = {plate.picture.key: plate for plate in found}
    pair = [by_key.get(request.GET.get(name, "")) for name in ("a", "b")]
    if len(found) > 1 and None in pair:
        pair = [found[0], found[-1]]
    return render(
        request,
        "threads/atlas.html",
        {
            "thread": thread,
            "plates": found,
            "rings": plates.line(found),
            "pair": pair if len(found) > 1 else [],
            "after": after,
            "more": last.key if last else "",
            "may_reply": may(request.user, "reply", thread),
        },
    )


def gallery(request: HttpRequest) -> HttpResponse:
    """Maps, flags or covers of all debates that the reader may see, by age and place."""
    asked = {name: request.GET.get(name, "")[:20] for name in ("shows", "age", "in", "before")}
    shows = asked["shows"] or Picture.Shows.MAP.value
    ages = [str(number) for number in range(len(ERAS))]
    known = shows in dict(KINDS) and asked["age"] in ("", *ages)
    known = known and asked["in"] in ("", *maps.REGIONS)
    if not known or (asked["before"] and not asked["before"].isdecimal()):
        raise Http404
    if len(asked["before"]) > 18:
        raise Http404
    found, older, looked_at = plates.gallery(
        request.user,
        shows=shows,
        era=int(asked["age"]) if asked["age"] else None,
        region=asked["in"],
        before=int(asked["before"]) if asked["before"] else None,
        most=IN_THE_GALLERY,
    )
    return render(
        request,
        "site/gallery.html",
        {
            "plates": found,
            "kinds": KINDS,
            "shows": shows,
            "ages": [(str(n), era[0]) for n, era in enumerate(ERAS)],
            "age": asked["age"],
            "places": [(name, label) for name, (label, _) in maps.REGIONS.items()],
            "place": asked["in"],
            "later": bool(asked["before"]),
            "older": older,
            "looked_at": looked_at,
        },
    )
