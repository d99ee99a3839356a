"""Take two-step login off an account whose owner lost the app, the keys and the codes."""

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from forum.actions import members


class Command(BaseCommand):
    help = (
        "Take two-step login off the account of NAME, so that the password alone lets in again. "
        "The member is told, and administrators find it in the audit log."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="the member's name")
        parser.add_argument("--reason", default="", help="why; the member reads it")

    def handle(self, *args, name, reason, **options):
        user = User.objects.named(name).first()
        if user is None:
            raise CommandError(f"There is no member “{name}”.")
        gone = members.forget_two_step(member=user, reason=reason)
        done = "Two-step login is off for" if gone else "Two-step login was not set up for"
        self.stdout.write(f"{done} {user}.")
