"""What lies under /accounts/ before allauth's own addresses."""

from django.urls import path
from django.views.generic.base import RedirectView

from . import provider_views, views

urlpatterns = [
    path("settings/", views.settings, name="settings"),
    path("sessions/", views.sessions, name="sessions"),
    path("invitations/", views.invitations_made, name="invitations"),
    path("tokens/", views.tokens, name="tokens"),
    path("signup/", views.Signup.as_view(), name="account_signup"),
    path("password/set/", provider_views.FirstPassword.as_view(), name="account_set_password"),
    path("again/", provider_views.sign_in_again, name="sign-in-again"),
    path("connections/", provider_views.connected, name="connections"),
    # In place of allauth's own, at its addresses.
    path("3rdparty/", RedirectView.as_view(pattern_name="connections")),
    path("3rdparty/signup/", provider_views.ProviderSignup.as_view(), name="socialaccount_signup"),
    path("oidc/<str:provider_id>/login/", provider_views.to_provider, name="openid_connect_login"),
    path(
        "oidc/<str:provider_id>/login/callback/",
        provider_views.from_provider,
        name="openid_connect_callback",
    ),
    path("resend/", views.resend, name="account_resend"),
]
