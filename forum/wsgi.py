"""What a WSGI server such as gunicorn loads: `gunicorn forum.wsgi`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
os.environ.setdefault("JONBAR_WEB", "1")  # requests get time limits in the database

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
