"""Put debates onto the map whose places were named before there was one."""

from django.core.management.base import BaseCommand

from core import progress
from core.counting import counted
from forum.actions import description
from forum.models import Divergence


class Command(BaseCommand):
    help = (
        "Look up the places of divergences that stand on no map, and place those whose name is "
        "clear. Run it once after the upgrade: what is kept off the map later would be put onto it."
    )

    @progress.shown()
    def handle(self, *args, verbosity=1, **options):
        named = Divergence.objects.filter(latitude=None).exclude(place="")
        threads = list(named.order_by("thread_id").values_list("thread_id", flat=True).distinct())
        placed = sum(
            description.place(thread_id)
            for thread_id in progress.track(threads, "debates looked at", len(threads))
        )
        progress.clear()
        if verbosity:
            self.stdout.write(
                f"{counted(placed, 'divergence was,divergences were')} placed on the map."
            )
