"""A sum that a visitor's browser works out before a form is taken, which costs whoever sends by the
thousand (altcha: no outside service, nobody is watched).

A form shows a `challenge` and sends the answer along; `spend` judges it, in the transaction of what
the form does, so that a form that is refused may be sent again with the same answer. Who has no
JavaScript sends none: what becomes of such a form is for its view to say.
"""

import base64
import json
import secrets
import time

import altcha
from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

from .problems import Problem

TRIES = 256  # of which a browser needs half, on the average
HOLDS = 3 * 3600  # seconds: a form may lie open that long
LONGEST = 2_000  # characters of an answer


def challenge(form: str) -> str:
    """A new challenge for one kind of form, as JSON; empty where the site asks for none
    (PROOF_OF_WORK)."""
    if not settings.PROOF_OF_WORK:
        return ""
    made = altcha.create_challenge(
        "PBKDF2/SHA-256",
        settings.PROOF_OF_WORK,
        counter=secrets.randbelow(TRIES),
        expires_at=int(time.time()) + HOLDS,
        data={"form": form},
        hmac_secret=_key(),
    )
    return json.dumps(made.to_dict(), separators=(",", ":"))


def spend(answer: str, form: str) -> bool:
    """Whether `answer` solves a challenge for this kind of form; it is used up by that. True where
    the site asks for none, False where nothing was sent, as by a browser without JavaScript.

    Raises Problem where something was sent that solves nothing, is too old, or was used before.
    """
    if not settings.PROOF_OF_WORK:
        return True
    if not answer:
        return False
    answer = answer[:LONGEST]
    result = altcha.verify_solution(answer, _key())
    if result.expired:
        raise Problem("This form lay open too long. Please send it once more.")
    if not result.verified:
        raise Problem("Your browser's sum does not come out right. Please send it once more.")
    signed = json.loads(base64.b64decode(answer))["challenge"]["parameters"]
    if signed["data"] != {"form": form} or not cache.add(
        f"proof:{signed['nonce']}", 1, timeout=HOLDS + 60
    ):
        raise Problem("This form was sent before. Please send it once more.")
    return True


def _key() -> str:
    return salted_hmac("core.proof_of_work", "", algorithm="sha256").hexdigest()
