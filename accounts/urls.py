"""What lies under /accounts/ before allauth's own addresses."""

from django.urls import path

from . import views

urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("sessions/", views.sessions, name="sessions"),
    path("invitations/", views.invitations_made, name="invitations"),
    path("tokens/", views.tokens, name="tokens"),
    path("signup/", views.Signup.as_view(), name="account_signup"),
    path("resend/", views.resend, name="account_resend"),
]
