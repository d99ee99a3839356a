"""Take two-step login off an account whose owner lost the app, the keys and the codes."""

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User


class Command(BaseCommand):
    help = "Take two-step login off the account of NAME, so that the password alone lets in again."

    def add_arguments(self, parser):
        parser.add_argument("name", help="the member's name")

    def handle(self, *args, name, **options):
        user = User.objects.filter(username__iexact=name).first()
        if user is None:
            raise CommandError(f"There is no member “{name}”.")
        gone, _ = Authenticator.objects.filter(user=user).delete()
        done = "Two-step login is off for" if gone else "Two-step login was not set up for"
        self.stdout.write(f"{done} {user}.")
