"""Sign a member out everywhere, as after a telephone was stolen."""

from django.core.management.base import BaseCommand, CommandError

from accounts import sessions, tokens
from accounts.models import User


class Command(BaseCommand):
    help = (
        "End all sessions and personal tokens of NAME: whoever knows the password or has the keys "
        "can sign in again, nobody else."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="the member's name")

    def handle(self, *args, name, **options):
        member = User.objects.named(name).first()
        if member is None:
            raise CommandError(f"There is no member “{name}”.")
        ended = sessions.end(member)
        tokens.end_all(member)
        self.stdout.write(f"Sessions of {member} ended: {ended}, and all tokens.")
