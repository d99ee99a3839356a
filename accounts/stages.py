"""What stands between a right password and being signed in, beside what allauth has."""

from allauth.account.stages import LoginStage
from django.shortcuts import render


class Admission(LoginStage):
    """Who asked to join and was not let in yet is told so, by whichever door they come. It stands
    after the confirmation of the address: before that nobody reads what they wrote."""

    key = "admission"

    def handle(self):
        user = self.login.user
        if user is None or user.waits_since is None:
            return None, True
        return render(self.request, "account/waiting.html", {"applicant": user}), False
