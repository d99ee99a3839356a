"""The forum's addresses where a mail service is listened to."""

from forum.mailing import webhooks
from forum.urls import urlpatterns as ours

urlpatterns = [*ours, webhooks.urls]
