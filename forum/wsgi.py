"""What a WSGI server such as gunicorn loads: `gunicorn forum.wsgi`."""

import gc
import os
from collections.abc import Callable
from importlib import import_module

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
os.environ.setdefault("JONBAR_WEB", "1")  # requests get time limits in the database

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.utf_8 import utf_8_only

application: Callable = get_wsgi_application()
if settings.KEPT_BEFORE_DJANGO:
    from forum.operations.kept_first import kept_first

    application = kept_first(application)
application = utf_8_only(application)
# All addresses with their views, which Django would import with the first request: what is here
# before the workers are forked is in memory once (deploy/gunicorn.conf.py).
import_module(settings.ROOT_URLCONF)

# A page makes some hundred objects with references in circles. Python looks for such after every
# 700 objects, and now and then through all that there are, which took a sixth of a page's time.
# What stands now stays, and is not looked through; the rest is, after so many new objects.
gc.collect()
gc.freeze()
gc.set_threshold(2_000, 10, 5)
