"""Writes into each case the board whose moderators decide and how grave it is, a thousand at a time.
Who is interrupted begins again: what is right already is written once more."""

from django.db import migrations
from django.db.models import Case, Exists, IntegerField, OuterRef, Subquery, When
from django.db.models.functions import Coalesce

PART = 1_000


def fill(apps, schema_editor) -> None:
    alias = schema_editor.connection.alias
    cases, reports = (
        apps.get_model("forum", name).objects.using(alias) for name in ("Case", "Report")
    )
    reported = reports.filter(case=OuterRef("pk"), heeded=True)
    gravity = Case(
        When(Exists(reported.filter(trusted=True)), then=0),
        When(Exists(reported.filter(reason="illegal")), then=1),
        When(Exists(reported.filter(reason="attack")), then=2),
        When(~Exists(reported), kind="report", then=4),
        default=3,
        output_field=IntegerField(),
    )
    told = cases.filter(pk=OuterRef("pk")).annotate(
        where=Coalesce("post__thread__board_id", "thread__board_id", "board_id")
    )
    done, order = 0, cases.order_by("pk").values_list("pk", flat=True)
    while part := list(order.filter(pk__gt=done)[:PART]):
        rows = cases.filter(pk__gt=done, pk__lte=part[-1])
        rows.update(board=Subquery(told.values("where")), gravity=gravity)
        done = part[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("forum", "0060_what_a_case_carries")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
