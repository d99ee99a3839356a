"""Close accounts without a browser, and once more after an older backup was restored."""

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from core import progress
from forum.moderation import closing


class Command(BaseCommand):
    help = (
        "Close the account of NAME, as its member can in the settings: the person goes, what they "
        "wrote stays. With --again, close those that were closed after the backup that this "
        "database was restored from."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", nargs="?", help="the member's name")
        parser.add_argument("--again", action="store_true", help="all that were closed before")

    @progress.shown()
    def handle(self, *args, name, again, **options):
        if bool(name) == again:
            raise CommandError("Give the name of a member, or --again.")
        if again:
            closed = closing.close_again()
            progress.clear()
            self.stdout.write(f"Closed again: {closed}.")
            return
        member = User.objects.named(name).filter(closed_at=None).first()
        if member is None:
            raise CommandError(f"There is no member “{name}”.")
        try:
            closing.close_own(user=member)
        except closing.Refused as error:
            raise CommandError(str(error)) from None
        self.stdout.write("The account is closed.")
