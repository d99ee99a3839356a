"""Who signs in, and who a session belongs to."""

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef

from core import clock

from .models import User
from .passwords import is_too_long


class Backend(AuthenticationBackend):
    """allauth's, which also says in the same query whether the member's address is known: the
    charter asks it on every page that offers to write."""

    def authenticate(self, request, **credentials) -> User | None:
        """The member with this name or address and password; None for a password that nobody can
        have, before it is hashed."""
        if is_too_long(credentials.get("password") or ""):
            return None
        return super().authenticate(request, **credentials)

    def get_user(self, user_id) -> User | None:
        """The member of a session; None if there is none, or the account was closed."""
        known = Exists(EmailAddress.objects.filter(user=OuterRef("pk"), verified=True))
        # What the query brings takes the place of the property.
        users = User.objects.annotate(address_known=known, asked_at=clock.MOMENT)  # type: ignore[no-redef]  # meant so
        user = users.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
