"""How members stand, for moderators: warnings, suspensions, notes, names. No address is here."""

from functools import partial

from allauth.account.adapter import get_adapter
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import redirect, render
from django.urls import path, reverse

from core import clock
from forum.actions import members
from forum.moderation import closing, sanctions, taking_emblems

from ..actions.composing import Unacceptable
from ..models import AuditEntry, Member, Note, Post, State, Suspension, Warning
from ..models.visibility import boards_visible_to
from ..permissions import Refused, may
from ..views.fetch import sent_id
from . import reviewing
from .site import ReadOnly

HISTORY = 50
VERBS = ("warn", "suspend", "take emblem", "clean up", "note", "rename member", "close account")


@admin.register(Member)
class MemberAdmin(ReadOnly):
    """Find a member; the page of each says how they stand and what one may do."""

    list_display = ("username", "date_joined", "warned", "bound")
    found_by = ("members:pk",)

    def get_queryset(self, request):
        of_one = Warning.objects.filter(member=OuterRef("pk"), expires_at__gt=clock.MOMENT)
        many = of_one.order_by().values("member").annotate(many=Count("pk")).values("many")
        return Member.objects.annotate(  # type: ignore[no-redef]  # meant so
            warned=Coalesce(Subquery(many), 0), asked_at=clock.MOMENT
        )

    @admin.display(description="warnings in force")
    def warned(self, member) -> int:
        return member.warned

    @admin.display(description="bound")
    def bound(self, member) -> str:
        if member.suspended:
            return "may not write"
        return "waits for approval" if member.watched else ""

    def get_urls(self):
        review = self.admin_site.admin_view(partial(reviewing.review, self.admin_site))
        return [path("<int:pk>/review/", review, name="forum_member_review"), *super().get_urls()]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """The page of one member; POST does one act."""
        if object_id is None or not self.has_view_permission(request):
            raise PermissionDenied  # accounts are made elsewhere
        member = self.get_object(request, object_id)
        if member is None:
            # Django's own, which its stubs leave out.
            away = self._get_obj_does_not_exist_redirect  # type: ignore[attr-defined]  # left out
            return away(request, self.opts, object_id)
        kept: dict = {}
        if request.method == "POST":
            done, kept = self._act(request, member)
            if done:
                return redirect(reverse("admin:forum_member_change", args=[member.pk]))
        now = clock.now()
        context = {
            **self.admin_site.each_context(request),
            "title": f"Warnings and limits of {member.username}",
            "one": member,
            "opts": self.opts,
            "original": member,
            "warnings": Warning.objects.filter(member=member, expires_at__gt=now)
            .select_related("entry__actor", "entry__post")
            .order_by("expires_at"),
            "points": sanctions.points_of(member),
            "suspensions": Suspension.objects.filter(member=member, ends_at__gt=now)
            .select_related("entry__actor")
            .order_by("ends_at"),
            "notes": Note.objects.filter(member=member).select_related("author").order_by("-pk"),
            "boards_seen": [
                None,  # that of acts that are no board's
                *boards_visible_to(request.user).values_list("pk", flat=True),
            ],
            "past_names": member.past_names.order_by("-pk"),
            "history": AuditEntry.objects.filter(member=member)
            .exclude(verb="note")
            .select_related("actor")
            .order_by("-pk")[:HISTORY],
            "may": {verb.split()[0]: may(request.user, verb, member) for verb in VERBS},
            "measures": Suspension.Measure.choices,
            "most_points": range(1, sanctions.MAX_POINTS + 1),
            "kept": kept,
            "about": self._post_named(request, member),
            "posts": Post.objects.filter(author=member, state=State.VISIBLE)[:1000].count(),
        }
        status = 422 if kept else 200
        return render(request, "admin/forum/member.html", context, status=status)

    @staticmethod
    def _post_named(request, member: Member) -> Post | None:
        """The post for which the member may be warned: `post` names its id."""
        pk = sent_id(request.POST.get("post") or request.GET.get("post", ""))
        post = (
            Post.objects.filter(pk=pk, author=member)
            .select_related("thread__board", "body")
            .first()
        )
        return post if post is not None and may(request.user, "moderate", post) else None

    def _act(self, request, member: Member) -> tuple[bool, dict]:
        """Do what the form asks: whether it was done, and what was typed if not."""
        sent = {key: value.replace("\0", "") for key, value in request.POST.items()}
        act, reason = sent.get("_act", ""), sent.get("reason", "")
        asked = {"user": request.user, "reason": reason}
        try:
            if act == "warn":
                post = Post.objects.select_related("thread__board").filter(pk=_whole(sent, "post"))
                sanctions.warn(
                    member=member,
                    points=_whole(sent, "points"),
                    post=post.first() if sent.get("post") else None,
                    **asked,
                )
            elif act == "suspend":
                sanctions.suspend(
                    member=member,
                    days=_whole(sent, "days"),
                    measure=sent.get("measure", ""),
                    **asked,
                )
            elif act == "take emblem":
                taking_emblems.take(member=member, **asked)
            elif act == "lift warning":
                row = Warning.objects.filter(member=member, pk=_whole(sent, "row")).first()
                sanctions.lift_warning(warning=_there(row), **asked)
            elif act == "lift suspension":
                bound = Suspension.objects.filter(member=member, pk=_whole(sent, "row")).first()
                sanctions.lift_suspension(suspension=_there(bound), **asked)
            elif act == "note":
                sanctions.note(user=request.user, member=member, text=sent.get("text", ""))
            elif act == "rename":
                members.rename(member=member, name=sent.get("name", ""), **asked)
            elif act == "close":
                _close(request, member, sent.get("name", ""), reason)
            else:
                raise Refused("Choose an act.")
        except (Refused, Unacceptable) as error:
            return False, {**sent, "act": act, "error": str(error)}
        self.message_user(request, "Done, and written to the log.", messages.SUCCESS)
        return True, {}


def _whole(sent: dict, name: str) -> int:
    """A whole number out of a form; 0, which no act takes, for anything else."""
    value = sent.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 18 else 0


def _there(row):
    if row is None:
        raise Refused("That was taken back already.")
    return row


class OfMember(ReadOnly):
    """Rows about members, who belong to no board: everybody at the desk reads them."""

    def get_queryset(self, request):
        return admin.ModelAdmin.get_queryset(self, request)


@admin.register(Warning)
class WarningAdmin(OfMember):
    list_display = ("member", "points", "entry", "expires_at")
    list_select_related = ("member", "entry")
    found_by = ("members:member",)  # reasons are searched in the log, as far as one sees it


@admin.register(Suspension)
class SuspensionAdmin(OfMember):
    list_display = ("member", "measure", "entry", "ends_at")
    list_filter = ("measure",)
    list_select_related = ("member", "entry")
    search_fields = ("member__username", "entry__reason")


@admin.register(Note)
class NoteAdmin(OfMember):
    list_display = ("member", "author", "text", "written_at")
    list_select_related = ("member", "author")
    search_fields = ("member__username", "text")


def _close(request, member: Member, name: str, reason: str) -> None:
    if name.strip().casefold() != member.username.casefold():
        raise Refused("Write the member's name to close the account.")
    if address := closing.close(user=request.user, member=member, reason=reason):
        get_adapter().send_mail("account/email/closed", address, {"reason": reason})
