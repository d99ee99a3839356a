"""Make a member a moderator (of all boards, or of one) or an administrator."""

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from forum.actions.audit import record
from forum.models import Board


class Command(BaseCommand):
    help = (
        "Make a member a moderator of all boards, of one board (--board), or an administrator "
        "(--administrator). The member's address counts as known from then on."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="the member's name")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--board", metavar="SLUG", help="moderator of this board only")
        which.add_argument("--administrator", action="store_true")

    def handle(self, *args, name, board=None, administrator=False, **options):
        user = User.objects.named(name).first()
        if user is None:
            raise CommandError(f"There is no member “{name}”. Sign up first, then appoint.")
        where = None
        if board and (where := Board.objects.filter(slug=board).first()) is None:
            known = ", ".join(Board.objects.in_order().values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no board “{board}”. Boards: {known}.")
        with transaction.atomic():
            user.is_staff = True
            if administrator:
                user.is_superuser = True
            elif where:
                where.moderators.add(user)
            else:
                user.is_moderator = True
            user.save(update_fields=["is_staff", "is_superuser", "is_moderator"])
            if user.email:
                user.set_address(user.email, known=True)
            what = (
                "administrator"
                if administrator
                else f"moderator of {where}"
                if where
                else "moderator of all boards"
            )
            record(None, "appoint", member=user, board=where, reason=what)
        self.stdout.write(f"{user} is {what} now. The desk is at /admin/.")
