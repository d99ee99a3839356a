"""Where divergences lie on the map; what is here already lies nowhere until somebody says it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("forum", "0034_viewers_and_reasons"),
    ]

    operations = [
        migrations.AddField(
            model_name="divergence",
            name="latitude",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="divergence",
            name="longitude",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="divergence",
            name="radius",
            field=models.PositiveSmallIntegerField(
                default=0,
                help_text="Kilometres around the point within which it lies; 0 is the point.",
            ),
        ),
        migrations.AddConstraint(
            model_name="divergence",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("latitude", None), ("longitude", None), ("radius", 0)),
                    models.Q(
                        ("latitude__isnull", False),
                        ("latitude__range", (-90, 90)),
                        ("longitude__isnull", False),
                        ("longitude__range", (-180, 180)),
                    ),
                    _connector="OR",
                ),
                name="divergence_spot_whole",
            ),
        ),
    ]
