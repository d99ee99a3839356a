"""Loading debates at the desk: send a file or a text, look over what was recognised, load it."""

import re
from typing import cast
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from core.counting import counted
from core.opened_texts import ChangedMeanwhile, as_erased, base_of
from forum.actions.description import MAX_DIVERGENCES
from forum.text.history_dates import spoken
from forum.text.markup import Rendered
from forum.text.questions import open_questions
from forum.transfer import Rejected, uploads
from forum.transfer.fields import DIVERGENCE, QUESTION

from ..models import Board, Thread, Upload
from ..models.visibility import boards_visible_to
from ..permissions import Refused, may
from ..views.writing import TokenField
from .site import ReadOnly

WORDS = re.compile(r"title|source|question|fork-(?:change|place|actor)|(?:byline|text)-\d{1,6}")
PER_PAGE = 20  # posts to look over at once


class SendForm(forms.Form):
    """A file or a text, and where a plain text goes."""

    file = forms.FileField(required=False, label="A fixture (.json, .zip) or a plain text (.txt)")
    text = forms.CharField(
        required=False, strip=False, widget=forms.Textarea, label="Or the text itself"
    )
    board = forms.ModelChoiceField(Board.objects.none(), label="Board", empty_label=None)
    token = TokenField()
    kind = forms.ChoiceField(choices=Thread.Kind.choices, initial=Thread.Kind.WI, label="Kind")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **{**kwargs, "auto_id": "%s"})
        cast(forms.ModelChoiceField, self.fields["board"]).queryset = own_boards(user)


def own_boards(user):
    """The boards into which `user` may load debates."""
    mine = [board.pk for board in boards_visible_to(user) if may(user, "load", board)]
    return Board.objects.filter(pk__in=mine).in_order()


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    """What was sent and is not loaded yet."""

    list_display = ("name", "user", "board", "saved_at")
    list_select_related = ("user", "board")

    def has_add_permission(self, request, obj=None) -> bool:
        return may(request.user, "enter desk") and own_boards(request.user).exists()

    def add_view(self, request, form_url="", extra_context=None):
        """Send a file or a text."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form, status = SendForm(user=request.user, initial={"token": uuid4()}), 200
        if request.method == "POST":
            form = SendForm(request.POST, request.FILES, user=request.user)
            if form.is_valid():
                try:
                    sent = self._receive(request.user, form.cleaned_data)
                except (Rejected, Refused) as error:
                    form.add_error(None, str(error))
                else:
                    return redirect(self._address(sent[0]) if len(sent) == 1 else "../")
            status = 422
        return self._render(request, "send", {"form": form, "title": "Load a debate"}, status)

    def _receive(self, user, data: dict) -> list[Upload]:
        given = {name: data[name] for name in ("board", "kind", "token")} | {"user": user}
        file = data["file"]
        if file is None:
            name = "The pasted text"
            return uploads.receive(data=data["text"].encode(), name=name, **given)
        # No more than the limit and one byte is ever read.
        most = max(uploads.MAX_BYTES, settings.PICTURE_MB * 1024 * 1024)
        return uploads.receive(data=file.read(most + 1), name=file.name, **given)

    def change_view(self, request, object_id, form_url="", extra_context=None):
        """Look over one debate, correct it, load it."""
        upload = self.get_object(request, object_id)
        if upload is None or not may(request.user, "load", upload.board):
            return super().change_view(request, object_id, form_url, extra_context)
        problems: list[str] = []
        page = _number(request.GET.get("page", "1")) or 1
        if request.method == "POST":
            if request.POST.get("do") == "discard":
                uploads.discard(user=request.user, upload=upload)
                messages.success(request, "Thrown away; nothing was loaded.")
                return redirect("../../")
            problems = self._correct(request, upload)
            upload.refresh_from_db()
            if not problems and request.POST.get("do") == "load":
                try:
                    loaded = uploads.load(user=request.user, upload=upload)
                except (Rejected, Refused) as error:
                    problems.append(str(error))
                else:
                    sentence = (
                        f"{counted(loaded.added, 'post,posts')} loaded. {' '.join(loaded.notes)}"
                    )
                    messages.success(request, sentence.strip())
                    return redirect(loaded.thread)
            elif not problems:
                page = _number(request.POST.get("page", "")) or page
        return self._look_over(request, upload, problems, page)

    def _look_over(self, request, upload: Upload, problems: list[str], page: int):
        posts = uploads.posts_of(upload)
        pages = max(-(-len(posts) // PER_PAGE), 1)
        if not 1 <= page <= pages:
            raise Http404
        read, wrong, number = uploads.check(upload)
        if wrong:
            problems = [*problems, wrong]
        head = upload.objects_read[0]["fields"]
        asked = [
            one["fields"].get("text") for one in upload.objects_read if one["model"] == QUESTION
        ]
        proposed = _questions_of(read.posts[0].rendered) if read else ()
        divergences = [
            {**one["fields"], "when": spoken_or_typed(one["fields"].get("edtf", ""))}
            for one in upload.objects_read
            if one["model"] == DIVERGENCE
        ]
        divergences += [{}] * (min(len(divergences) + 1, MAX_DIVERGENCES) - len(divergences))
        context = {
            "title": head.get("title", "A debate"),
            "upload": upload,
            "head": head,
            "base": base_of(uploads.stored_texts(upload)),
            "boards": own_boards(request.user),
            "kinds": Thread.Kind.choices,
            "posts": posts[(page - 1) * PER_PAGE : page * PER_PAGE],
            "page": page,
            "pages": range(1, pages + 1),
            "problems": problems,
            "wrong_page": (number - 1) // PER_PAGE + 1 if number else None,
            "wrong_number": number,
            "unknown": sum(post.fields.get("parent_basis") == "unknown" for post in posts),
            "quotes": sum(len(post.quotes) for post in posts),
            "count": len(posts),
            "divergences": divergences,
            "questions": [
                (text, text in asked) for text in dict.fromkeys([*filter(None, asked), *proposed])
            ],
        }
        return self._render(request, "look", context, 422 if problems and request.POST else 200)

    def _correct(self, request, upload: Upload) -> list[str]:
        """Take over what was typed; without what was erased since the page was opened."""
        typed = request.POST.copy()
        for name, values in typed.lists():  # no database keeps a NUL
            typed.setlist(name, [value.replace("\0", "") for value in values])
        try:
            return self._take_over(request, upload, typed)
        except ChangedMeanwhile as problem:
            upload.refresh_from_db()
            typed["base"] = base_of(problem.stored)
            typed = _without_erased(typed, upload)
            return [problem.sentence, *self._take_over(request, upload, typed)]

    def _take_over(self, request, upload: Upload, typed: QueryDict) -> list[str]:
        posts = {}
        for name in typed:
            if name.startswith("text-") and (number := _number(name[5:])):
                posts[number] = {
                    "text": typed[name],
                    "byline": typed.get(f"byline-{number}", ""),
                    "written_at": str(typed.get(f"written-{number}", "")).strip(),
                    "answers": typed.get(f"answers-{number}", ""),
                    "quotes": _quotes(typed, number),
                }
        divergences = [
            dict(zip(("change", "when", "place", "actor"), values, strict=True))
            for values in zip(
                *(
                    typed.getlist(f"divergence-{name}")
                    for name in ("change", "when", "place", "actor")
                ),
                strict=False,
            )
        ]
        thread = {
            name: str(typed[name]).strip()
            for name in ("title", "kind", "board", "source")
            if name in typed
        }
        try:
            return uploads.correct(
                user=request.user,
                upload=upload,
                thread=thread,
                posts=posts,
                divergences=divergences,
                questions=typed.getlist("question"),
                base=typed.get("base", ""),
            )
        except Refused as error:
            return [str(error)]

    def _address(self, upload: Upload) -> str:
        return reverse("admin:forum_upload_change", args=[upload.pk])

    def _render(self, request, page: str, context: dict, status: int):
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "largest": uploads.MAX_BYTES // 1024 // 1024,
            "largest_zip": settings.PICTURE_MB,
            "most_pictures": uploads.MOST_PICTURES,
            **context,
        }
        return render(request, f"admin/forum/upload_{page}.html", context, status=status)


def spoken_or_typed(edtf: str) -> str:
    """A date as people say it, if it is one: it is read again when it is saved."""
    try:
        return spoken(edtf)
    except ValueError:
        return edtf


def _without_erased(sent: QueryDict, upload: Upload) -> QueryDict:
    """What was typed, without what is black in the debate by now."""
    names = sorted(filter(WORDS.fullmatch, sent), key=lambda name: name.startswith("question"))
    typed = {(name, n): text for name in names for n, text in enumerate(sent.getlist(name))}
    asked = {_number(name[5:]) for name in names if name.startswith("text-")}
    numbers = {number for number in asked if number is not None}
    erased = as_erased(typed, uploads.stored_texts(upload, numbers))
    for name in names:
        sent.setlist(name, [text for (of, _), text in erased.items() if of == name])
    return sent


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 7 else None


def _quotes(typed, number: int) -> list[tuple[int, int, int]]:
    """The quotes of a post as the form gives them: (first, last, source); a row without a source
    and paragraphs is none."""
    columns = (typed.getlist(f"quote-{name}-{number}") for name in ("first", "last", "source"))
    found = []
    for first, last, source in zip(*columns, strict=False):
        first, last, source = _number(first), _number(last), _number(source)
        if first:
            found.append((first, last or first, source or 0))
    return found


def _questions_of(opening: Rendered) -> tuple[str, ...]:
    """What an opening asks, in the open."""
    spans = [(passage.start, passage.end) for passage in opening.passages]
    return open_questions(opening.html, plain=opening.plain, passages=spans)
