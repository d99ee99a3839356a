"""Pictures: their files, the page of one, and adding one while writing."""

import hashlib
from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_POST

from core.problems import Problem
from forum.operations import pictures as files
from forum.operations.pictures.pyramid import TILE, is_tile, top

from ..actions import maps
from ..actions import pictures as acts
from ..models import Picture, PictureUse
from ..models.pictures import MAX_ALT, MAX_CREDIT, MAX_SOURCE
from ..models.visibility import pictures_visible_to, posts_visible_to
from ..permissions import require
from . import problems

TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
YEAR = 31_536_000
POSTS = 50  # that a picture's page names
FIELDS = frozenset(("picture", "picture_alt", "picture_credit"))  # of the forms that write


def picture_or_404(user, key: str) -> Picture:
    """The picture with this key, if `user` may see it. Raises Http404."""
    picture = pictures_visible_to(user).select_related("member").filter(key=key).first()
    if picture is None:
        raise Http404
    return picture


# --- /pictures/<key>/<name> -------------------------------------------------------------------


def file(request: HttpRequest, picture_key: str, name: str) -> HttpResponseBase:
    """The bytes of a picture. Its name holds their sum, so whoever has them need not ask again;
    what not everybody may see is asked for each time, since that can end."""
    visitor = AnonymousUser()
    public = pictures_visible_to(visitor).filter(key=picture_key).first()
    picture = public or picture_or_404(request.user, picture_key)
    if picture.state != Picture.State.READY or name not in (
        picture.file.rpartition("/")[2],
        picture.shown.rpartition("/")[2],
    ):
        raise Http404
    whole = name == picture.file.rpartition("/")[2]
    sha256, kind = (picture.sha256, picture.kind) if whole else (picture.preview_sha256, "webp")
    stored = files.name_of(sha256, kind)
    return answer(request, stored, f"{sha256[:16]}.{kind}", public=public is not None)


def tile(
    request: HttpRequest, picture_key: str, total: str, level: int, x: int, y: int
) -> HttpResponseBase:
    """One tile of a large map, for who may see the map."""
    public = pictures_visible_to(AnonymousUser()).filter(key=picture_key).first()
    picture = public or picture_or_404(request.user, picture_key)
    there = picture.tiles == Picture.Tiles.READY and picture.sha256[:16] == total
    if not (there and is_tile(picture.width, picture.height, level, x, y)):
        raise Http404
    stored = files.tile_name(picture.sha256, level, x, y)
    return answer(request, stored, f"{level}-{x}-{y}.webp", public=public is not None)


def answer(request: HttpRequest, stored: str, name: str, *, public: bool) -> HttpResponseBase:
    """The file that is kept under a name which never comes to mean other bytes, called `name`."""
    etag = f'"{hashlib.sha256(stored.encode()).hexdigest()[:32]}"'
    response = get_conditional_response(request, etag=etag) or _sent(stored, name)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = _for_how_long(public=public)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _sent(path: str, name: str) -> HttpResponseBase:
    kind = path.rpartition(".")[2]
    response: HttpResponseBase
    if settings.PICTURES_BY_PROXY:
        response = HttpResponse(content_type=TYPES[kind])
        response.headers["X-Accel-Redirect"] = f"{settings.PICTURES_BY_PROXY}{path}"
    else:
        try:
            response = FileResponse(files.opened(path), content_type=TYPES[kind])
        except FileNotFoundError:
            raise Http404 from None
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response


def _for_how_long(*, public: bool) -> str:
    if not public:
        return "private, no-cache"
    # In the reader's own browser for good; between us and them as long as the site lets pages.
    if shared := settings.SHARED_CACHE_SECONDS:
        return f"public, max-age={YEAR}, s-maxage={shared}, immutable"
    return f"private, max-age={YEAR}, immutable"


# --- /pictures/<key>/zoom/ --------------------------------------------------------------------


def zoom(request: HttpRequest, picture_key: str) -> HttpResponse:
    """A large map to look at closely, by its tiles; without scripts its preview, and the whole."""
    found = picture_or_404(request.user, picture_key)
    if found.tiles != Picture.Tiles.READY:
        raise Http404
    size = {"tile": TILE, "top": top(found.width, found.height)}
    return render(request, "pictures/zoom.html", {"picture": found, **size})


# --- /pictures/<key>/ -------------------------------------------------------------------------


class PictureForm(forms.Form):
    """What a picture shows, whose it is, where it is from."""

    alt = forms.CharField(
        max_length=MAX_ALT, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    credit = forms.CharField(max_length=MAX_CREDIT, required=False)
    source = forms.CharField(max_length=MAX_SOURCE, required=False)


def picture(request: HttpRequest, picture_key: str) -> HttpResponse:
    """A picture with its words and the posts that show it, as far as the reader may see them; its
    sender says here what it shows."""
    found = picture_or_404(request.user, picture_key)
    mine = acts.may_describe(request.user, found)
    words = {"alt": found.alt, "credit": found.credit, "source": found.source}
    form, status = PictureForm(request.POST or None, initial=words), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                acts.describe(user=request.user, picture=found, **form.cleaned_data)
                messages.success(request, "The words of the picture are kept.")
                return redirect("picture", picture_key)
            except Problem as problem:
                status = problems.show(form, problem)
    uses = PictureUse.objects.filter(picture=found).values("post")
    posts = posts_visible_to(request.user).filter(pk__in=uses, number__isnull=False)
    context = {
        "picture": found,
        "posts": posts.select_related("thread", "author").order_by("pk")[:POSTS],
        "form": form if mine else None,
        "markable": maps.may_mark(request.user, found),
    }
    return render(request, "pictures/picture.html", context, status=status)


# --- While writing ----------------------------------------------------------------------------


@require_POST
def add(request: HttpRequest) -> JsonResponse:
    """For the script of the forms that write: take a picture, and say how a text shows it."""
    try:
        sent = _sent_in(request)
    except Problem as problem:
        return JsonResponse({"problem": problem.sentence}, status=problem.status)
    return JsonResponse({"markdown": sent.markdown})


def asked_for(request: HttpRequest) -> bool:
    """Whether a form that writes was sent with a picture, or for one."""
    wanted = request.POST.get("do")
    return wanted == "picture" or ("picture" in request.FILES and wanted != "look")


def add_to(request: HttpRequest, form: forms.BaseForm) -> int:
    """Take the picture that a form was sent with, at the end of its text; as `with_picture`."""
    sent = cast(QueryDict, form.data).copy()
    sent["text"], status = with_picture(request)
    form.data = sent
    return status


def with_picture(request: HttpRequest) -> tuple[str, int]:
    """Take the picture that a form was sent with; gives the text of the form with it at the end,
    and the status of the answer. What there is to say stands above the page."""
    text = request.POST.get("text", "")
    try:
        sent = _sent_in(request)
    except Problem as problem:
        messages.error(request, f"{problem.sentence} Your text is as it was.")
        return text, problem.status
    sentence = "Your picture stands at the end of the text. Nothing is posted yet."
    if not sent.alt:
        sentence += " Say between its brackets what it shows, for those who cannot see it."
    messages.success(request, sentence)
    return f"{text.rstrip()}\n\n{sent.markdown}\n".lstrip("\n"), 200


def _sent_in(request: HttpRequest) -> Picture:
    require(request.user, "write")
    chosen = request.FILES.get("picture")
    if chosen is None:
        raise Problem("Choose a picture.")
    return acts.send(
        user=request.user,
        file=chosen,
        alt=request.POST.get("picture_alt", ""),
        credit=request.POST.get("picture_credit", ""),
    )
