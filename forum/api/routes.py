"""The addresses of the API: what is registered by the modules that read and write."""

from . import finding, reading, writing
from .service import service

MODULES = (reading, finding, writing)
# Without the place that Ninja keeps for its own page.
patterns = [one for one in service.urls[0] if getattr(one, "name", "") != "api-root"]
