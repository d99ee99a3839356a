"""Saying of a picture that it is a map of a moment, a flag, a cover."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.problems import Problem

from ..actions import maps
from ..models import Picture
from ..models.pictures import MAX_LEGEND, MAX_MOMENT, MAX_TAG, MAX_TITLE
from ..permissions import Refused
from . import problems
from .pictures import picture_or_404

# Offered while one types, and shown where nothing is offered; any other may be typed.
PROJECTIONS = (
    *("Equirectangular", "Robinson", "Mercator", "Mollweide", "Winkel tripel", "Equal Earth"),
    *("Lambert conformal conic", "Albers conic", "Orthographic"),
)
TEMPLATES = ("Q-BAM", "R-QBAM", "M-BAM", "8K-BAM", "Worlda")


class MarkForm(forms.Form):
    """What a picture is; of the fields below its title, maps alone have any."""

    shows = forms.ChoiceField(choices=Picture.Shows.choices)
    title = forms.CharField(max_length=MAX_TITLE, required=False)
    moment = forms.CharField(max_length=MAX_MOMENT, required=False)
    legend = forms.CharField(
        max_length=MAX_LEGEND, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )
    projection = forms.CharField(
        max_length=MAX_TAG,
        required=False,
        widget=forms.TextInput(attrs={"list": "projections", "autocomplete": "off"}),
    )
    template = forms.CharField(
        max_length=MAX_TAG,
        required=False,
        widget=forms.TextInput(attrs={"list": "templates", "autocomplete": "off"}),
    )


def mark(request: HttpRequest, picture_key: str) -> HttpResponse:
    """The form that says what a picture is, for who may say it."""
    picture = picture_or_404(request.user, picture_key)
    if not maps.may_mark(request.user, picture):
        raise Refused("Only the member who sent a picture and moderators say what it is.")
    details = {name: getattr(picture, name) for name in MarkForm.base_fields}
    form, status = MarkForm(request.POST or None, initial=details), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                maps.mark(
                    user=request.user, picture=picture, details=maps.Mark(**form.cleaned_data)
                )
                messages.success(request, "What the picture is, is kept.")
                return redirect("picture", picture_key)
            except Problem as problem:
                status = problems.show(form, problem)
    context = {"picture": picture, "form": form}
    context |= {"projections": PROJECTIONS, "templates": TEMPLATES}
    return render(request, "pictures/mark.html", context, status=status)
