"""The map of what-ifs: all debates by the place at which they leave history."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from forum.rendering import maps
from forum.text.history_dates import short

from ..models import Thread
from ..models.debate import Cell, DivergenceQuerySet
from .narrowing import Narrowed, after, cursor, narrowed

PER_PAGE = 20


def world(request: HttpRequest) -> HttpResponse:
    """A part of the world with the divergences in it, gathered where many stand close, and one page
    of them as a list. However many there are, the database answers with cells and one page."""
    chosen = narrowed(request)
    asked_frame = request.GET.get("in", "")[:40]
    frame = maps.read_frame(asked_frame)
    if frame is None:
        raise Http404
    counted = chosen.counted(("regions",), lambda rows: rows.counted_within(maps.boxes()))
    here = chosen.rows.lying_within(frame.box)

    def in_cells(rows: DivergenceQuerySet) -> list[Cell]:
        return rows.lying_within(frame.box).by_cell(frame.width / maps.COLUMNS)

    # Of frames that are zoomed by hand there is no end.
    named = frame is maps.WORLD or asked_frame in maps.REGIONS
    cells = chosen.counted(("map", asked_frame), in_cells) if named else in_cells(chosen.rows)
    drawings = {
        name: maps.gather(cells, frame, least)
        for name, least in (("large", maps.WIDE), ("small", maps.NARROW))
    }
    alone = {group.alone for groups in drawings.values() for group in groups if group.alone}
    singles = chosen.rows.select_related("thread").in_bulk(alone)
    rows, number = after(here, request.GET.get("after", ""))
    found = list(rows.select_related("thread__board").by_date()[: PER_PAGE + 1])
    more = len(found) > PER_PAGE
    found = found[:PER_PAGE]
    return render(
        request,
        "timeline/map.html",
        {
            "frame": frame,
            "height": round(maps.DRAWN / maps.SHAPE),
            "drawings": {
                name: _marks(groups, singles, frame, chosen) for name, groups in drawings.items()
            },
            "regions": [
                (name, label, counted[name], name == asked_frame)
                for name, (label, _) in maps.REGIONS.items()
                if counted[name] or name == asked_frame
            ],
            "region": maps.REGIONS.get(asked_frame, ("",))[0],
            "asked_frame": asked_frame,
            "anywhere": counted["anywhere"],
            "nowhere": counted["nowhere"],
            "here": sum(cell.number for cell in cells),
            "entries": [(short(one.edtf), one) for one in found],
            "first": number + 1,
            "last": number + len(found),
            "asked": chosen.asked,
            "errors": chosen.errors,
            "kinds": Thread.Kind.choices,
            "boards": chosen.boards,
            "query": chosen.query(),
            "query_here": chosen.query(**{"in": asked_frame}),
            "older": cursor(found[-1], number + len(found)) if more else "",
            "later": bool(number),
        },
    )


def _marks(groups: list[maps.Group], singles: dict, frame: maps.Frame, chosen: Narrowed) -> list:
    """The marks of a drawing; large areas first, so that they cover nothing."""
    marks = [_mark(group, singles, frame, chosen) for group in groups]
    return sorted(marks, key=lambda mark: -max(mark["area"], default=0))


def _mark(group: maps.Group, singles: dict, frame: maps.Frame, chosen: Narrowed) -> dict:
    """What a drawing shows at one place: a divergence that leads to its debate, or how many there
    are, which leads closer, and in the end to the list."""
    mark: dict = {"x": f"{group.x:.1f}", "y": f"{group.y:.1f}", "count": group.count}
    mark |= {"label": "", "area": ()}
    one = singles.get(group.alone)
    if one is not None:
        where = f" ({one.place})" if one.place else ""
        mark["label"] = f"{short(one.edtf)}: {one.thread.title}{where}"
        mark["address"] = one.thread.get_absolute_url()
        mark["area"] = [round(reach, 1) for reach in maps.area(one.spot, frame)]
        return mark
    closer = group.closer(frame)
    mark["address"] = f"?{chosen.query(**{'in': str(closer)})}" if closer else "#places"
    return mark
