"""Signing in where something was being sent, without leaving it."""

from allauth.account.internal.stagekit import clear_login
from allauth.account.stages import LoginStageController
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.ratelimit import consume
from allauth.mfa.stages import AuthenticateStage
from django.contrib.auth import get_user
from django.http import HttpRequest

from core.problems import Problem

from .forms import CodeForm, LoginForm
from .tokens import by_token

# The fields that such a form has beside its own; they go no further than this.
FIELDS = ("sign_in_name", "sign_in_password", "sign_in_code")


class NotSignedIn(Problem):
    """Name, password or code were not taken. `step`: what is asked for next, "password" or
    "code"."""

    status = 403

    def __init__(self, sentence: str, *, step: str) -> None:
        super().__init__(sentence)
        self.step = step


def given(request: HttpRequest) -> dict[str, str]:
    """What the form says about who sends it; takes it out of what was sent, so that no draft and no
    page repeats a password. Empty where the form did not ask."""
    if (
        request.method != "POST"
        or by_token(request)
        or not any(name in request.POST for name in FIELDS)
    ):
        return {}
    sent = request.POST.copy()
    found = {name: sent.pop(name)[-1] for name in FIELDS if name in sent}
    setattr(request, "POST", sent)  # noqa: B010  # the stubs let nobody write there
    return found


def sign_in(request: HttpRequest, fields: dict[str, str]) -> None:
    """Sign in whoever the fields of `given` name, by the rules of the page for it: its limits, the
    second step, a confirmed address. Raises NotSignedIn; afterwards `request.user` is the member.
    """
    try:
        if "sign_in_code" in fields:
            _second_step(request, fields["sign_in_code"])
        else:
            _first_step(request, fields)
    except ImmediateHttpResponse:
        raise NotSignedIn("This account cannot sign in just now.", step="password") from None
    except NotSignedIn:
        raise
    except Problem as problem:
        raise NotSignedIn(problem.sentence, step="password") from problem
    request.user = get_user(request)  # with all that the pages ask of an account


def _first_step(request: HttpRequest, fields: dict[str, str]) -> None:
    if not consume(request, action="login"):
        raise NotSignedIn("That was a lot of tries. Wait a minute.", step="password")
    data = {"login": fields.get("sign_in_name"), "password": fields.get("sign_in_password")}
    form = LoginForm(data, request=request)
    if not form.is_valid():
        raise NotSignedIn(_first_error(form), step="password")
    form.login(request)
    if request.user.is_authenticated:
        return
    if LoginStageController.enter(request, AuthenticateStage.key):
        raise NotSignedIn("", step="code")
    if form.user.waits_since:
        raise NotSignedIn("This account was not let in yet.", step="password")
    raise NotSignedIn(
        "Your address is not confirmed yet. Open the link in the mail that we sent you.",
        step="password",
    )


def _second_step(request: HttpRequest, code: str) -> None:
    stage = LoginStageController.enter(request, AuthenticateStage.key)
    if stage is None:
        clear_login(request)
        raise NotSignedIn("The first step is too long ago. Begin again.", step="password")
    form = CodeForm({"code": code}, user=stage.login.user)
    if not form.is_valid():
        raise NotSignedIn(_first_error(form), step="code")
    form.save()
    stage.exit()
    if not request.user.is_authenticated:
        raise NotSignedIn("This account cannot sign in just now.", step="password")


def _first_error(form) -> str:
    return next(sentence for found in form.errors.values() for sentence in found)
