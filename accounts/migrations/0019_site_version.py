"""The edition of the site is called its version; its table keeps its name."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0018_emblems")]

    operations = [
        migrations.AlterModelTable("edition", "accounts_edition"),
        migrations.RenameModel("Edition", "SiteVersion"),
    ]
