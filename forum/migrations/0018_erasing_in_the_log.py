"""The audit log stays append-only; the act that erases words for a legal reason may blacken them in
reason and detail of its entries, and nothing else of them."""

from django.db import migrations

ERASING = """
CREATE OR REPLACE FUNCTION forum_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('jonbar.erasing', true) = 'on'
     AND to_jsonb(NEW) - 'reason' - 'detail' = to_jsonb(OLD) - 'reason' - 'detail' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
"""
NEVER = """
CREATE OR REPLACE FUNCTION forum_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is append-only';
END $$;
"""


def let_erase(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(ERASING)


def refuse(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(NEVER)


class Migration(migrations.Migration):
    dependencies = [("forum", "0017_members_standing")]

    operations = [migrations.RunPython(let_erase, refuse)]
