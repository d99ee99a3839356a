"""Do what was accepted to be done later."""

import signal

from django.core.management.base import BaseCommand

from core import progress
from core.counting import counted
from forum.outbox.worker import Worker


class Command(BaseCommand):
    help = (
        "Do what was accepted to be done later (notices, mail), until SIGTERM or Ctrl-C; the job "
        "at hand is then still done. Several may run at once, on several machines."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="what is due now, then end")

    def handle(self, *args, once=False, **options):
        worker = Worker()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())
        if once:
            with progress.shown():
                done = worker.drain()
            self.stdout.write(f"{counted(done, 'job,jobs')} done.")
        else:
            worker.run()
