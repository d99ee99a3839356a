from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("forum", "0050_one_index_for_each_order")]

    operations = [
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                condition=models.Q(("state", "visible"), _negated=True),
                fields=["state", "-id"],
                name="post_not_visible",
            ),
        ),
    ]
