"""Members, for administrators only: nobody else touches an address, a password or a right."""

import allauth.account.admin
import allauth.mfa.admin
import allauth.socialaccount.admin  # noqa: F401
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django import forms
from django.contrib import admin
from django.contrib.auth import admin as django_admin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef

from core.opened_texts import OpenedForm

from .models import ApiToken, Invitation, User, raise_site_version
from .seeking import Seeking

# Addresses are shown and changed with their member, and rights come from the charter, not from
# groups. Both pages are registered by the modules imported above.
admin.site.unregister(EmailAddress)
admin.site.unregister(Group)
admin.site.unregister(Authenticator)  # secrets of two-step login are nobody's to look at
# Who somebody is elsewhere neither; providers stand in the settings alone, and tokens nowhere.
admin.site.unregister((SocialAccount, SocialApp, SocialToken))


MOST_FOUND = 200  # members whose name begins so, and as many by their address


class OneAddress(forms.ModelForm):
    """Refuses an address that is known as another member's."""

    def clean_email(self) -> str:
        email = self.cleaned_data["email"].lower()
        others = EmailAddress.objects.filter(email=email, verified=True)
        if email and others.exclude(user=self.instance.pk).exists():
            raise forms.ValidationError("Another account has this address.")
        return email


class ChangeForm(OpenedForm, OneAddress, UserChangeForm):
    texts = ("about",)

    class Meta(UserChangeForm.Meta):
        model = User


class AddForm(OneAddress, AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("username", "email")


@admin.register(User)
class MemberAdmin(Seeking, django_admin.UserAdmin):
    """The members. Accounts are closed, not deleted: what was argued stays."""

    form = ChangeForm
    add_form = AddForm
    list_display = ("username", "email", "known", "is_active", "rights", "date_joined")
    list_filter = ("is_active", "is_superuser", "is_moderator", "is_staff", "date_joined")
    search_fields = ("username", "email")  # see get_search_results
    search_help_text = "The beginning of a member's name, or of a mail address."
    finds_few = True
    readonly_fields = ("known", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password", "about", "base")}),
        ("Address", {"fields": ("email", "known")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_moderator", "is_superuser")}),
        ("Reading", {"fields": ("theme", "view", "posts_per_page", "time_zone")}),
        ("Times", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "usable_password", "password1", "password2")}),
    )

    def get_readonly_fields(self, request, obj=None):
        """A name is given at the member's standing, where the old one is kept."""
        return (*self.readonly_fields, "username") if obj else self.readonly_fields

    def get_queryset(self, request):
        addresses = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
        return super().get_queryset(request).annotate(has_known=Exists(addresses))

    def get_search_results(self, request, queryset, search_term):
        """The members whose name or address begins so, by the indexes of both."""
        begun = search_term.strip()
        if not begun:
            return queryset, False
        named = User.objects.shaped_like(begun).values_list("pk", flat=True)[:MOST_FOUND]
        addresses = EmailAddress.objects.filter(email__startswith=begun.lower())
        reached = addresses.order_by().values_list("user", flat=True)[:MOST_FOUND]
        return queryset.filter(pk__in={*named, *reached}), False

    @admin.display(description="address confirmed", boolean=True)
    def known(self, member: User) -> bool:
        """Whether the address was confirmed, by its owner or by an administrator's word."""
        return bool(vars(member)["has_known"])  # of get_queryset

    @admin.display(description="rights")
    def rights(self, member: User) -> str:
        if member.is_superuser:
            return "administrator"
        return "moderator" if member.is_moderator else "some boards" if member.is_staff else ""

    def save_model(self, request, obj, form, change) -> None:
        """Save the member. Who has nothing left to moderate loses the desk too, unless this very
        form gives it, so that a board may name them. An address that an administrator types counts
        as known, and a reset link that was sent to the old one dies with it."""
        super().save_model(request, obj, form, change)
        changed = set(form.changed_data)
        if changed & {"is_moderator", "is_superuser"} and "is_staff" not in changed:
            User.objects.leave_desk([obj.pk])
        raise_site_version()  # the name shows wherever the member wrote or is mentioned
        if obj.email and "email" in form.changed_data:
            obj.set_address(obj.email, known=True)
        elif "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).delete()

    def has_module_permission(self, request) -> bool:
        return _administrator(request)

    def has_view_permission(self, request, obj=None) -> bool:
        return _administrator(request)

    def has_add_permission(self, request) -> bool:
        return _administrator(request)

    def has_change_permission(self, request, obj=None) -> bool:
        return _administrator(request)

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


class EndedHere(Seeking, admin.ModelAdmin):
    """What members make, and an administrator ends by deleting it."""

    def has_module_permission(self, request) -> bool:
        return _administrator(request)

    def has_view_permission(self, request, obj=None) -> bool:
        return _administrator(request)

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return _administrator(request)


@admin.register(ApiToken)
class ApiTokenAdmin(EndedHere):
    """Which programs read or write for whom. An administrator takes a token back by deleting it;
    what it is nobody can see, only its hash is kept."""

    list_display = ("name", "user", "scope", "created_at", "last_used_at")
    list_filter = ("scope", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    fields = readonly_fields = ("name", "user", "scope", "created_at", "last_used_at")


@admin.register(Invitation)
class InvitationAdmin(EndedHere):
    """Who invites whom. An administrator ends a link by deleting it; who joined by it stays."""

    list_display = ("made_by", "note", "uses_left", "ends_at", "created_at")
    list_filter = ("created_at", "ends_at")
    list_select_related = ("made_by",)
    search_fields = ("note", "made_by__username")
    fields = readonly_fields = (
        "made_by",
        "note",
        "uses_left",
        "ends_at",
        "created_at",
        "who_joined",
    )

    @admin.display(description="who joined by it")
    def who_joined(self, invitation: Invitation) -> str:
        """The names of the guests, in order."""
        return ", ".join(invitation.guests.order_by("pk").values_list("username", flat=True))


def _administrator(request) -> bool:
    return request.user.is_active and request.user.is_superuser
