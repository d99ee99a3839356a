"""What a member is told by mail, and stopping it from a mail."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from forum.mailing import stopping
from forum.mailing.topics import TOPICS

from ..models import MailSettings, Rhythm
from ..permissions import require
from .fetch import member_of

WATCHED = {
    "board": "a board that you watch",
    "thread": "a debate that you watch",
    "post": "a branch of a debate that you watch",
    "author": "a member whom you watch",
    "stretch": "a stretch of history that you watch",
}


class ChoicesForm(forms.Form):
    """One choice for each topic."""

    def __init__(self, *args, chosen: MailSettings, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for topic, label in TOPICS.items():
            self.fields[topic] = forms.ChoiceField(
                label=label,
                choices=Rhythm.choices,
                initial=chosen.rhythm(topic),
                required=False,  # a page that is older than a topic leaves it as it is
            )


def choices(request: HttpRequest) -> HttpResponse:
    """When a member wants to be told by mail, for each topic."""
    require(request.user, "read notices")
    member = member_of(request)
    chosen = MailSettings.objects.filter(pk=member.pk).first() or MailSettings()
    form = ChoicesForm(request.POST or None, chosen=chosen)
    if request.method == "POST" and form.is_valid():
        made = {topic: rhythm for topic, rhythm in form.cleaned_data.items() if rhythm}
        stopping.choose(member, made)
        messages.success(request, "Your choice is kept.")
        return redirect("mail-settings")
    return render(
        request,
        "mail/choices.html",
        {
            "form": form,
            "bounced": chosen.bounced and chosen.bounced == member.email,
            "known": member.address_known,
        },
        status=422 if form.is_bound else 200,
    )


@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Write to an address again from which mail came back."""
    require(request.user, "read notices")
    stopping.write_again(member_of(request))
    messages.success(request, "Mail is sent to your address again.")
    return redirect("mail-settings")


@never_cache
@csrf_exempt  # a mail program posts here without having been here; the address itself is the proof
def stop(request: HttpRequest, signed) -> HttpResponse:
    """Stop mail about some topics, or what one watches, by an address that a mail named: GET shows
    a button, POST does it, whoever is signed in or nobody (RFC 8058). Nothing is named: whoever
    holds the address may not be, or no longer be, who may see it."""
    found = stopping.read(signed)
    if found is None:
        raise Http404
    if request.method == "POST":
        stopping.stop(found)
    return render(
        request,
        "mail/stop.html",
        {
            "topics": [TOPICS[topic] for topic in found.topics],
            "watched": WATCHED.get(found.watch.kind) if found.watch else "",
            "stopped": request.method == "POST",
        },
    )
