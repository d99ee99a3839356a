"""Questions that nobody has answered yet, from all over the forum."""

from itertools import groupby

from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from ..models import Question, State
from ..models.debate import QuestionQuerySet
from ..models.listing import whose_opening_stands
from ..models.visibility import threads_visible_to

PER_PAGE = 30


def unanswered(user) -> QuestionQuerySet:
    """The questions that nobody answered yet, newest first, in the debates that `user` sees. A
    question is words of the opening: where that does not stand, it is not asked."""
    seen = whose_opening_stands(threads_visible_to(user).filter(state=State.VISIBLE))
    # Asked of each question: as a list of debates SQLite would make all of it before the first.
    return Question.objects.unanswered().filter(Exists(seen.filter(pk=OuterRef("thread"))))


def questions(request: HttpRequest) -> HttpResponse:
    """One page of unanswered questions, by debate: the newest debates first, the questions of each
    as they are asked there; a seek, no OFFSET."""
    rows = unanswered(request.user)
    before = request.GET.get("before", "")
    if before:
        if not before.isdecimal() or len(before) > 18:
            raise Http404
        rows = rows.filter(pk__lt=int(before))
    found = list(rows.select_related("thread__board", "thread__author")[: PER_PAGE + 1])
    more = len(found) > PER_PAGE
    debates = [
        (thread, list(asked)[::-1])
        for thread, asked in groupby(found[:PER_PAGE], key=lambda question: question.thread)
    ]
    return render(
        request,
        "questions/questions.html",
        {
            "debates": debates,
            "older": found[PER_PAGE - 1].pk if more else None,
            "later": bool(before),
        },
    )
