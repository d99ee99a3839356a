"""Who waits to be let in, letting in and turning away, and making accounts, without a browser."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import User
from forum.actions import joining
from forum.models import Case
from forum.permissions import Refused


class Command(BaseCommand):
    help = (
        "List who waits to be let in (JOINING=approval), the oldest first. With --admit or "
        "--turn-away, decide about one. With --make, make an account whose address counts as "
        "known; its member has a link sent to set a password."
    )

    def add_arguments(self, parser):
        parser.add_argument("--admit", metavar="NAME")
        parser.add_argument("--turn-away", metavar="NAME")
        parser.add_argument("--reason", default="", help="told by mail; needed to turn away")
        parser.add_argument("--make", nargs=2, metavar=("NAME", "ADDRESS"))

    def handle(self, *args, admit, turn_away, reason, make, **options):
        if sum(map(bool, (admit, turn_away, make))) > 1:
            raise CommandError("Give one of --admit, --turn-away and --make.")
        if make:
            self._make(*make)
        elif admit or turn_away:
            self._decide(admit or turn_away, "admit" if admit else "turn away", reason.strip())
        else:
            waiting = Case.objects.open().filter(kind=Case.Kind.JOIN).order_by("pk")
            columns = ("opened_at", "member__username", "member__email", "asked_why")
            for when, name, address, answer in waiting.values_list(*columns):
                self.stdout.write(f"{when:%Y-%m-%d} {name} <{address}>: {answer}")

    def _decide(self, name: str, act: str, reason: str) -> None:
        member = User.objects.named(name).first()
        if member is None:
            raise CommandError(f"There is no account “{name}”.")
        if act == "turn away" and not reason:
            raise CommandError("Say why, with --reason: they are told.")
        try:
            joining.decide_by_hand(member=member, act=act, reason=reason[:300])
        except Refused as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Let in." if act == "admit" else "Turned away.")

    def _make(self, name: str, address: str) -> None:
        member = User(username=name, email=address.lower())
        member.set_unusable_password()
        try:
            member.full_clean(exclude=["password", "skeleton"])
            with transaction.atomic():
                member.save()
                member.set_address(address, known=True)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write("Made. A password is set by “I forgot my password”.")
