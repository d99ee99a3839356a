"""Who you are: the user model, sign-up rules and settings. Never imports forum."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
