"""What a WSGI server such as gunicorn loads: `gunicorn forum.wsgi`."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
os.environ.setdefault("JONBAR_WEB", "1")  # requests get time limits in the database

from django.core.wsgi import get_wsgi_application

from core.utf_8 import utf_8_only

application = utf_8_only(get_wsgi_application())

# A page makes some hundred objects with references in circles. Python looks for such after every
# 700 objects, and now and then through all that there are, which took a sixth of a page's time.
# What stands now stays, and is not looked through; the rest is, after so many new objects.
gc.collect()
gc.freeze()
gc.set_threshold(2_000, 10, 5)
