"""Check everything derived, and heal it with --fix."""

from collections import Counter

from django.core.management.base import BaseCommand, CommandError

from accounts.models import new_edition
from forum.checking import check


class Command(BaseCommand):
    help = (
        "Compare everything derived (trees, numbers, counters, HTML, quotes, the index of "
        "passages, read marks) with what it is derived from, and quotes with the words that they "
        "were taken from. Texts, parents and order are never changed. Exits with 1 if something "
        "is wrong and was not healed."
    )

    def add_arguments(self, parser):
        parser.add_argument("--fix", action="store_true", help="heal what can be healed")
        parser.add_argument("--quick", action="store_true", help="do not render texts again")
        parser.add_argument("--thread", type=int, metavar="ID", help="one debate only")

    def handle(self, *args, fix=False, quick=False, thread=None, **options):
        healed = left = 0
        compared: Counter[str] = Counter()
        for fault in check(fix=fix, quick=quick, thread_id=thread, compared=compared):
            self.stdout.write(str(fault))
            healed += fault.healed
            left += not fault.healed
        if healed:
            new_edition()  # pages that are kept were drawn from what was wrong
        self.stdout.write(
            f"Compared {compared['quotes']:,} of {compared['all']:,} exact and shortened quotes "
            "with the words they were taken from."
        )
        if left:
            more = "" if fix else " Run it with --fix to heal what can be healed."
            raise CommandError(f"{left} faults stand, {healed} were healed.{more}", returncode=1)
        self.stdout.write(f"{healed} faults were healed." if healed else "Everything is sound.")
