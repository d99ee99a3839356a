"""Write all that is kept of a member, for one who asks by letter and cannot sign in."""

import os

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from core import progress
from forum.own_data import archive


class Command(BaseCommand):
    help = (
        "Write all that is kept of NAME into FILE, as the zip that members get under “My data”. "
        "Make sure first who asks. The file is readable to you alone."
    )

    def add_arguments(self, parser):
        parser.add_argument("name", help="the member's name")
        parser.add_argument("file", help="where to; a file that is there is not written over")

    @progress.shown()
    def handle(self, *args, name, file, **options):
        member = User.objects.named(name).first()
        if member is None:
            raise CommandError(f"There is no member “{name}”.")
        try:
            opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from None
        try:
            with open(opened, "wb") as out:
                archive.write(member, out)
        except BaseException:
            os.unlink(file)  # no half of it
            raise
        progress.clear()
        self.stdout.write(f"All that is kept of {member} is in {file}.")
