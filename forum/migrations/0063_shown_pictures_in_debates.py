"""Writes to what says that a post shows a picture the debate of that post, a thousand at a time. Who is
interrupted goes on with those that have none. What older processes write or move meanwhile,
`check_forum --fix` sets right."""

from django.db import migrations
from django.db.models import OuterRef, Subquery

PART = 1_000


def fill(apps, schema_editor) -> None:
    alias = schema_editor.connection.alias
    uses, posts = (
        apps.get_model("forum", name).objects.using(alias) for name in ("PictureUse", "Post")
    )
    post = posts.filter(pk=OuterRef("post"))
    done, order = 0, uses.filter(thread=None).order_by("pk").values_list("pk", flat=True)
    while part := list(order.filter(pk__gt=done)[:PART]):
        rows = uses.filter(pk__gt=done, pk__lte=part[-1], thread=None)
        rows.update(thread=Subquery(post.values("thread")))
        done = part[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("forum", "0062_debates_of_shown_pictures")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
