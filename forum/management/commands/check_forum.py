"""Check everything derived, and heal it with --fix."""

from contextlib import suppress

from django.core.management.base import BaseCommand, CommandError

from accounts.models import raise_site_version
from core import progress
from core.counting import counted
from core.database_answers import database_errors
from forum.checking import check, course, processes
from forum.management.options import add_jobs


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
        add_jobs(parser, "look at debates")
        parser.add_argument(
            "--resume",
            action="store_true",
            help="go on, as it was begun, where the check before was interrupted",
        )

    @progress.shown()
    def handle(self, *args, fix=False, quick=False, thread=None, jobs=1, resume=False, **options):
        if thread is not None:
            self._check(course.Course(fix, quick), thread_id=thread)
            return
        before = course.interrupted()
        begun = before if resume else course.Course(fix, quick)
        if begun is None:
            raise CommandError("No check was interrupted here. Run it without --resume.")
        if (fix, quick) not in ((False, False), (begun.fix, begun.quick)):
            raise CommandError("The check that was interrupted was begun with other options.")
        if before is not None and before.fix:
            raise_site_version()  # killed, it could not, and nobody finds again what it healed
        if not resume:
            begun.save()  # in place of an older one, which would be taken up if this one is killed
        try:
            self._check(begun, jobs=jobs, after=begun.after, reached=begun.reach)
        except (KeyboardInterrupt, processes.Ended) as error:
            begun.save()
            _draw_anew(begun)
            why = str(error).strip() or "Interrupted"
            raise CommandError(f"{why}. {_how_to_go_on(begun, jobs)}", returncode=130) from None
        except CommandError:
            course.forget()
            raise
        except Exception:
            begun.save()
            self.stderr.write(_how_to_go_on(begun, jobs))
            _draw_anew(begun)
            raise
        course.forget()

    def _check(self, begun: course.Course, **how) -> None:
        """Say what is found, and what it came to. Raises CommandError if something is left."""
        for fault in check(fix=begun.fix, quick=begun.quick, compared=begun.compared, **how):
            progress.clear()
            self.stdout.write(str(fault))
            begun.take(fault)
        begun.settle()
        progress.clear()
        if begun.healed:
            raise_site_version()  # pages that are kept were drawn from what was wrong
        self.stdout.write(
            f"Compared {begun.compared['quotes']:,} of {begun.compared['all']:,} exact and "
            "shortened quotes with the words they were taken from."
        )
        if begun.left:
            more = "" if begun.fix else " Run it with --fix to heal what can be healed."
            stand = counted(begun.left, "fault stands,faults stand")
            were = "was" if begun.healed == 1 else "were"
            raise CommandError(f"{stand}, {begun.healed} {were} healed.{more}", returncode=1)
        were = counted(begun.healed, "fault was,faults were")
        self.stdout.write(f"{were} healed." if begun.healed else "Everything is sound.")


def _draw_anew(begun: course.Course) -> None:
    """Have pages that are kept drawn anew after what an unfinished check healed. If the database is
    away, whoever checks next does it."""
    if begun.fix:
        with suppress(*database_errors()):
            raise_site_version()


def _how_to_go_on(begun: course.Course, jobs: int) -> str:
    more = f" --jobs {jobs}" if jobs > 1 else ""
    if not begun.is_saved:
        return "How far it was could not be noted: run it again."
    return f"To go on where it was: manage.py check_forum --resume{more}"
