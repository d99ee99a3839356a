"""The whole configuration. Everything comes from the environment or from `.env` beside manage.py.

Defaults suit SQLite on one machine. Without DEBUG the secret key and the hosts must be given:
a site that starts with a guessable key or answers to any Host header is open to forged sessions
and to poisoned reset mails. docs/operating.md lists every variable.
"""

import os
import re
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from core.environment import Environment, naming

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(env.str("JONBAR_ENV_FILE", default=str(BASE_DIR / ".env")))

# --- Who we are -----------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] * DEBUG)
if not SECRET_KEY or not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "Set SECRET_KEY and ALLOWED_HOSTS in the environment or in .env. "
        "For a trial on this machine, `python3 dev.py run` writes a .env with DEBUG=1."
    )
SITE_NAME = env.str("SITE_NAME", default="Jonbar")
# The address people type. Mails and canonical links are built from it, never from a Host header.
SITE_URL = env.str("SITE_URL", default="").rstrip("/")
HTTPS = env.bool("HTTPS", default=not DEBUG)
DATA_DIR = Path(env.str("JONBAR_DATA", default=str(BASE_DIR / "var")))

ROOT_URLCONF = "forum.urls"
WSGI_APPLICATION = "forum.wsgi.application"

INSTALLED_APPS = [
    "accounts",
    "forum",
    "forum.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "mptt",
]

MIDDLEWARE = [
    "forum.operations.observability.Requests",
    *(["forum.middleware.ReplicaRouting"] * bool(env.list("DATABASE_REPLICAS", default=[]))),
    "forum.middleware.KeptPages",  # a kept page has all headers that those below set
    "forum.middleware.UnchangedNews",
    "forum.middleware.Headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "forum.middleware.SessionUser",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "forum.middleware.SignInWhileSending",
    "forum.middleware.TwoSteps",
    "forum.middleware.MembersTime",
    "forum.middleware.ErrorPages",
]

_at_hand = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "forum.rendering.context.site",
]
# Whether a page fails that asks for a name which nobody gave it, as the tests want it; else the
# name shows as nothing.
STRICT_TEMPLATES = env.bool("STRICT_TEMPLATES", default=False)
# The first engine that has a template of the name wanted draws it.
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "forum.jinja.environment", "context_processors": _at_hand},
    },
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",  # desk, mails, messages
        "DIRS": [BASE_DIR / "templates_django"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": _at_hand,
            "builtins": ["forum.templatetags.forum"],
        },
    },
]

# --- Data -----------------------------------------------------------------------------------


def _database(url: str) -> dict:
    """A database by its URL. Of several hosts ("host:port,host:port", the primary now and those
    that may become it) the driver takes the one that it is to take: see target_session_attrs."""
    before, _, rest = url.rpartition("@")
    hosts, slash, name = rest.partition("/")
    if "," not in hosts:
        return env.db_url_config(url)
    found = env.db_url_config(f"{before}@{hosts.split(',')[0]}{slash}{name}")
    pairs = [host.rpartition(":") if ":" in host else (host, "", "") for host in hosts.split(",")]
    found["HOST"] = ",".join(host for host, _, _ in pairs)
    found["PORT"] = ",".join(port or "5432" for _, _, port in pairs)
    return found


with naming("DATABASE_URL"):
    DATABASES = {
        "default": _database(
            env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR}/jonbar.sqlite3")
        )
    }
    _engine = DATABASES["default"]["ENGINE"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_options = DATABASES["default"].setdefault("OPTIONS", {})
if _engine.endswith("sqlite3"):
    # IMMEDIATE takes the write lock at BEGIN, so that two writers queue instead of one failing
    # half-way, and they do so in order; synchronous=FULL means that what was acknowledged is on the
    # disk.
    DATABASES["default"]["ENGINE"] = "core.queued_sqlite3"
    DATABASES["default"]["STAYS_IN_LINE"] = env.bool("JONBAR_WEB", default=False)
    _options.update(
        transaction_mode="IMMEDIATE",
        timeout=20,
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    )
    if env.str("DATABASE_URL", default="") == "":
        DATA_DIR.mkdir(parents=True, exist_ok=True)
    _file = Path(DATABASES["default"]["NAME"])
    if _file.is_file() and not (os.access(_file, os.W_OK) and os.access(_file.parent, os.W_OK)):
        # A disk that takes no writes (a system that met a fault makes it so) lets people read.
        # SQLite opens such a file if it is told that nobody changes it; what a crash left beside it
        # in the log would be passed over then, so that is read along where it is.
        _log = Path(f"{_file}-wal")
        _how = "mode=ro" if _log.is_file() and _log.stat().st_size else "immutable=1"
        DATABASES["default"]["NAME"] = f"file:{quote(str(_file.absolute()))}?{_how}"
        _options.update(transaction_mode="DEFERRED", init_command="PRAGMA query_only=ON;")
else:
    # Kept connections, tested before use: a restart of the database then costs no request.
    DATABASES["default"].setdefault("CONN_MAX_AGE", 600)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # A statement that a connection sends often is planned once and then only run: planning takes
    # the database several times as long. A proxy that lends connections out by the transaction
    # does not know whose statements are prepared where; 0 goes without.
    if _prepare := env.int("PREPARE_STATEMENTS_AFTER", default=3):
        _options.update(server_side_binding=True, prepare_threshold=_prepare)
    if env.bool("JONBAR_WEB", default=False):  # set by wsgi.py: commands may take their time
        # No page asks for so much that compiling a statement to machine code would pay.
        _options["options"] = (
            "-c jit=off -c statement_timeout=15000 -c lock_timeout=8000"
            " -c idle_in_transaction_session_timeout=30000"
        )

# Queries that Django compiles each time (core/compiled_queries.py): their names, or "all".
PLAIN_QUERIES = frozenset(env.list("PLAIN_QUERIES", default=[]))
PLAIN_TEMPLATES = env.bool("PLAIN_TEMPLATES", default=False)

# Pages are read from these where there are any (forum/operations/replication.py).
for _number, _url in enumerate(env.list("DATABASE_REPLICAS", default=[]), 1):
    with naming("DATABASE_REPLICAS"):
        _replica = _database(_url)
    DATABASES[f"replica_{_number}"] = {
        **DATABASES["default"],
        **_replica,
        # A host that is gone must not hold a page for long: it is then drawn from the primary.
        "OPTIONS": {
            **{name: value for name, value in _options.items() if name != "target_session_attrs"},
            "connect_timeout": 2,
            **_replica.get("OPTIONS", {}),  # such as what its own address says of TLS
        },
        "TEST": {"MIRROR": "default"},
    }
# One that is further behind is not read from: it would go on showing what was hidden or erased.
REPLICA_LAG_SECONDS = env.int("REPLICA_LAG_SECONDS", default=5)
DATABASE_ROUTERS = ["forum.operations.replication.Router"] if len(DATABASES) > 1 else []

# Of one thread fixture or plain text; all of it is held in memory while it is checked.
FIXTURE_MAX_BYTES = env.int("FIXTURE_MAX_BYTES", default=64 * 1024 * 1024)


# Rate limits count in the cache, so all workers must share it; hence the database by default.
def _cache(url: str) -> dict:
    """The cache behind an address, such as redis://host:6379/0 (Redis or Valkey)."""
    found = env.cache_url_config(url)
    if "redis" in found["BACKEND"].lower():
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # One that is away must not hold up a worker: who asked it is answered with 503. A server
        # that was started anew costs one try.
        options = {"socket_connect_timeout": 2, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)}
    else:
        options = {"MAX_ENTRIES": 100_000}
        if found["BACKEND"] == "django.core.cache.backends.db.DatabaseCache":
            found = {**found, "BACKEND": "core.database_cache.DatabaseCache"}
    return {**found, "OPTIONS": {**options, **found.get("OPTIONS", {})}}


with naming("CACHE_URL"):
    CACHES = {"default": _cache(env.str("CACHE_URL", default="dbcache://jonbar_cache"))}

# Whether pages come with a serif of the forum's own (static/vendor); else with one of the reader's.
OWN_FACE = env.bool("OWN_FACE", default=True)

# Megabytes in which each worker keeps finished pages for visitors, and others for what many readers
# see alike: posts, lines of lists, forms. Without pages nothing at all is kept.
KEPT_PAGES_MB = env.int("KEPT_PAGES_MB", default=4)
KEPT_POSTS_MB = env.int("KEPT_POSTS_MB", default=64)
# Whether kept pages are answered without calling Django at all (forum/operations/kept_first.py).
KEPT_BEFORE_DJANGO = env.bool("KEPT_BEFORE_DJANGO", default=True)

# How long a cache between the site and its visitors (a CDN) may show a debate without asking, and
# how long after that while it asks. What is taken back is gone from it after both together.
SHARED_CACHE_SECONDS = env.int("SHARED_CACHE_SECONDS", default=0)
SHARED_CACHE_STALE_SECONDS = env.int("SHARED_CACHE_STALE_SECONDS", default=0)

# Megabytes of finished files (books, fixtures, Markdown) that are kept in the data folder; with 0
# each is made anew for whoever asks.
DOWNLOADS_MB = env.int("DOWNLOADS_MB", default=500)
# So many are made for one network; 0 lifts the limit.
DOWNLOADS_PER_MINUTE = env.int("DOWNLOADS_PER_MINUTE", default=20)
# What the API answers within a minute: to one token, and to one network without any; 0 lifts it.
API_PER_MINUTE = env.int("API_PER_MINUTE", default=300)
API_PER_MINUTE_VISITORS = env.int("API_PER_MINUTE_VISITORS", default=60)
# So often one network is told, while its people type, what the search would find, or how chosen
# words are quoted, and one member whom "@na" may mean, or which places begin as typed; 0: no limit.
OFFERS_PER_MINUTE = env.int("OFFERS_PER_MINUTE", default=120)
# Where a proxy sends the files, the address under which it does.
DOWNLOADS_BY_PROXY = env.str("DOWNLOADS_BY_PROXY", default="")
# Of one picture: megabytes as it is sent, million pixels, frames, and megabytes of memory that the
# process has that decodes it.
PICTURE_MB = env.int("PICTURE_MB", default=20)
PICTURE_MEGAPIXELS = env.int("PICTURE_MEGAPIXELS", default=89)
PICTURE_FRAMES = env.int("PICTURE_FRAMES", default=500)
PICTURE_MEMORY_MB = env.int("PICTURE_MEMORY_MB", default=1280)
# What one member may send within a day; 0 lifts a limit.
PICTURES_PER_DAY = env.int("PICTURES_PER_DAY", default=50)
PICTURES_MB_PER_DAY = env.int("PICTURES_MB_PER_DAY", default=200)
# Where a proxy sends the files of pictures, the address under which it does.
PICTURES_BY_PROXY = env.str("PICTURES_BY_PROXY", default="")
# Members may choose a small picture that stands beside their names.
EMBLEMS = env.bool("EMBLEMS", default=True)
# A bucket of S3 instead of a folder (the extra s3), and its server, where that is not Amazon's.
# Keys and region are boto's to find: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION.
PICTURES_BUCKET = env.str("PICTURES_BUCKET", default="")
PICTURES_BUCKET_AT = env.str("PICTURES_BUCKET_AT", default="")

# --- People ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backend.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.password_validator.PasswordValidator"},
    *(
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "MinimumLengthValidator",
            "CommonPasswordValidator",
            "NumericPasswordValidator",
        )
    ),
]
PASSWORD_RESET_TIMEOUT = 24 * 3600  # a link that lies in a mailbox opens the account
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"

# "required": an address must be confirmed before the first login; "optional": a mail is sent,
# but nobody waits for it (the local run); "off": a site without mail.
CONFIRM_ADDRESS = env.str("CONFIRM_ADDRESS", default="optional" if DEBUG else "required")
if CONFIRM_ADDRESS not in ("required", "optional", "off"):
    raise ImproperlyConfigured("CONFIRM_ADDRESS must be required, optional or off.")
ACCOUNT_EMAIL_VERIFICATION = {"required": "mandatory", "optional": "optional", "off": "none"}[
    CONFIRM_ADDRESS
]
ACCOUNT_ADAPTER = "accounts.adapter.Adapter"
ACCOUNT_FORMS = {
    "signup": "forum.views.joining.SignupForm",
    "login": "accounts.forms.LoginForm",
    "add_email": "accounts.forms.AddressForm",
    "change_password": "accounts.forms.PasswordForm",
    "reset_password_from_key": "accounts.forms.ResetByMailForm",
}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
# Who may make an account: everybody, everybody whom moderators then let in, who has a link of a
# member, or nobody; administrators make accounts at the desk in any case.
JOINING = env.str("JOINING", default="open")
if JOINING not in ("open", "approval", "invitation", "closed"):
    raise ImproperlyConfigured("JOINING must be open, approval, invitation or closed.")
# A file with domains of mail that are not taken (accounts.mail_domains).
MAIL_DOMAINS_REFUSED = env.str("MAIL_DOMAINS_REFUSED", default="")
if MAIL_DOMAINS_REFUSED and not Path(MAIL_DOMAINS_REFUSED).is_file():
    raise ImproperlyConfigured(f"MAIL_DOMAINS_REFUSED: there is no file {MAIL_DOMAINS_REFUSED}.")
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_CONFIRM_EMAIL_ON_GET = False  # mail scanners follow links; a person presses the button
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_USERNAME_BLACKLIST: list[str] = []  # accounts.names knows what is reserved
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_SESSION_REMEMBER = None  # a box on the login form
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one replaces it when its link is opened
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that signed up
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # a device left open does not give the account away
ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD = "leave_empty"
# Beside allauth's own limits. A stranger's mailbox is not to be flooded with links.
ACCOUNT_RATE_LIMITS = {
    "preview": env.str("PREVIEW_RATE", default="60/m/user"),
    "signup": "20/m/ip,100/d/ip",
    "resend": "10/m/ip",
    "reset_password": "20/m/ip,5/h/key",
    # Wrong passwords: of one network, and of one network for one name (accounts.adapter); and for
    # one name from wherever, so many that nobody who knows the password is kept out for long.
    "login_failed": "10/m/ip,5/5m/key",
    "login_failed_name": "30/m/key",
}
# Whether the line that a failed sign-in leaves in the log holds the address it came from.
LOG_ADDRESSES = env.bool("LOG_ADDRESSES", default=False)
# Behind a proxy all visitors would share its address, and with it one limit.
ALLAUTH_TRUSTED_PROXY_COUNT = int(env.bool("BEHIND_PROXY", default=False))

# The second step at login: codes of an app, passkeys and keys, recovery codes shown once. Whether
# the address is confirmed matters to CONFIRM_ADDRESS, not here.
MFA_ADAPTER = "accounts.adapter.SecondStep"
MFA_FORMS = {
    "authenticate": "accounts.forms.CodeForm",
    "reauthenticate": "accounts.forms.CodeAgainForm",
    "authenticate_webauthn": "accounts.forms.KeyForm",
    "reauthenticate_webauthn": "accounts.forms.KeyAgainForm",
    "login_webauthn": "accounts.forms.KeyLoginForm",
    "activate_totp": "accounts.forms.AppForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # half a minute more or less; clocks of telephones go wrong
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers let only localhost do without HTTPS
REQUIRE_TWO_STEP_FOR_STAFF = env.bool("REQUIRE_TWO_STEP_FOR_STAFF", default=False)

# How hard the sum is that a stranger's browser works out before a form is taken
# (core.proof_of_work): rounds of each of some 128 tries; 0 asks for none.
PROOF_OF_WORK = env.int("PROOF_OF_WORK", default=0)

# Providers by which one may sign in, by OpenID Connect: their ids, and of each what it is called,
# its address, and as whom and with which secret it knows the forum.


def _openid_provider(name: str) -> dict:
    """The provider with the id `name`, from the variables that begin with OPENID_ and that id."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", name):
        raise ImproperlyConfigured(f"OPENID_PROVIDERS: {name!r} is no id. Use letters and digits.")
    own = f"OPENID_{name.upper().replace('-', '_')}_"
    given = {
        key: env.str(own + key, default="") for key in ("SERVER", "CLIENT_ID", "CLIENT_SECRET")
    }
    if missing := [own + key for key, value in given.items() if not value]:
        raise ImproperlyConfigured(f"Set {' and '.join(missing)}, or take {name} away.")
    if not (given["SERVER"].startswith("https://") or DEBUG):
        raise ImproperlyConfigured(f"{own}SERVER must begin with https://.")
    return {
        "provider_id": name,
        "name": env.str(f"{own}NAME", default=name.capitalize())[:40],
        "client_id": given["CLIENT_ID"],
        "secret": given["CLIENT_SECRET"],
        "settings": {"server_url": given["SERVER"].rstrip("/")},
    }


SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "provider_class": "accounts.openid.Provider",
        "APPS": [_openid_provider(name) for name in env.list("OPENID_PROVIDERS", default=[])],
    }
}
SOCIALACCOUNT_ADAPTER = "accounts.connections.Connections"
SOCIALACCOUNT_FORMS = {"signup": "forum.views.joining.ProviderSignupForm"}
SOCIALACCOUNT_AUTO_SIGNUP = False  # a name that shows everywhere is chosen by who bears it
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5  # seconds

# How fast one member may write; 0 lifts a limit. Counted on the posts where they are stored.
POSTS_PER_MINUTE = env.int("POSTS_PER_MINUTE", default=12)
STARTS_PER_HOUR = env.int("STARTS_PER_HOUR", default=6)
# Whether the public log says who acted, or only that a moderator did.
LOG_NAMES_MODERATORS = env.bool("LOG_NAMES_MODERATORS", default=True)
# Whom to tell of a hole, for /.well-known/security.txt: "mailto:…" or "https://…".
SECURITY_CONTACT = env.str("SECURITY_CONTACT", default="")
if SECURITY_CONTACT and not SECURITY_CONTACT.startswith(("mailto:", "https://", "tel:")):
    raise ImproperlyConfigured("SECURITY_CONTACT must begin with mailto:, https:// or tel:.")
# Which crawlers robots.txt lets in: "all", "search" (none that gathers texts for models), "none".
CRAWLERS = env.str("CRAWLERS", default="all")
if CRAWLERS not in ("all", "search", "none"):
    raise ImproperlyConfigured("CRAWLERS must be all, search or none.")
# A member of whom fewer posts than this have appeared counts as new; 0: nobody does.
NEW_MEMBER_POSTS = env.int("NEW_MEMBER_POSTS", default=3)
# Of each member so many posts are approved before the next appear at once; boards may differ.
APPROVE_FIRST_POSTS = env.int("APPROVE_FIRST_POSTS", default=0)
# Posts of new members that hold links or pictures wait for approval.
HOLD_NEW_LINKS = env.bool("HOLD_NEW_LINKS", default=True)
# A text that the same member wrote within so many minutes waits for approval; 0: it does not.
REPEAT_MINUTES = env.int("REPEAT_MINUTES", default=30)
# Drafts in which nobody wrote for so long are swept out (manage.py sweep); 0 keeps them all.
DRAFTS_KEPT_DAYS = env.int("DRAFTS_KEPT_DAYS", default=365)
# The same for notices of what others wrote that were read, and for accounts whose address was never
# confirmed where it must be (CONFIRM_ADDRESS) and that nobody used; 0 keeps them.
NOTICES_KEPT_DAYS = env.int("NOTICES_KEPT_DAYS", default=365)
UNCONFIRMED_KEPT_DAYS = env.int("UNCONFIRMED_KEPT_DAYS", default=30)
# Warnings: how long their points count, and what they bring about when they add up; 0: nothing.
WARNING_DAYS = env.int("WARNING_DAYS", default=90)
WARNING_APPROVAL_POINTS = env.int("WARNING_APPROVAL_POINTS", default=3)
WARNING_APPROVAL_DAYS = env.int("WARNING_APPROVAL_DAYS", default=14)
WARNING_SUSPENSION_POINTS = env.int("WARNING_SUSPENSION_POINTS", default=6)
WARNING_SUSPENSION_DAYS = env.int("WARNING_SUSPENSION_DAYS", default=7)
REPORTS_PER_DAY = env.int("REPORTS_PER_DAY", default=20)
# Posts reported from one network without an account; and how long name and address of such a
# reporter are kept after the decision.
GUEST_REPORTS_PER_DAY = env.int("GUEST_REPORTS_PER_DAY", default=10)
GUEST_ADDRESSES_KEPT_DAYS = env.int("GUEST_ADDRESSES_KEPT_DAYS", default=90)
EDIT_WINDOW_HOURS = env.int("EDIT_WINDOW_HOURS", default=0)  # 0: one's own posts stay editable

# --- Later ----------------------------------------------------------------------------------

# What is done after the answer is a row in the database until it is done (manage.py work).
TASKS = {"default": {"BACKEND": "forum.outbox.backend.Outbox", "QUEUES": ["default", "outside"]}}

# --- Mail -----------------------------------------------------------------------------------

with naming("EMAIL_URL"):
    _email = env.email_url("EMAIL_URL", default="consolemail://" if DEBUG else "smtp://localhost")
    vars().update(_email)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"{SITE_NAME} <noreply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10  # seconds; a mail server that hangs must not hold the page
# "name:password" by which a mail service tells of mails that came back (the extra mail-webhooks).
MAIL_WEBHOOK_SECRET = env.str("MAIL_WEBHOOK_SECRET", default="")
if MAIL_WEBHOOK_SECRET:
    INSTALLED_APPS.append("anymail")
    ANYMAIL = {"WEBHOOK_SECRET": MAIL_WEBHOOK_SECRET}

# --- Web ------------------------------------------------------------------------------------

SESSION_ENGINE = "accounts.sessions"  # on the server: revocable at once
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    # The prefix makes browsers refuse a cookie that a neighbouring sub-domain tries to plant.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000)
    SECURE_PROXY_SSL_HEADER = (
        ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
    )
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "forum.views.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[SITE_URL] if SITE_URL else [])
# A post of 60,000 characters in any script, and room for the form around it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_HANDLERS = [
    "forum.operations.uploads.Bounded",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
SILENCED_SYSTEM_CHECKS = [
    "models.W038",  # deferrable constraints: PostgreSQL has them, SQLite does without
    "security.W005",  # HSTS for sub-domains: the domain's owner decides, not one site on it
    "security.W021",  # HSTS preload: likewise
]

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "pictures": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "pictures"},
    },
    "staticfiles": {
        "BACKEND": "core.static_files.HashedFiles"
        if env.bool("STATIC_MANIFEST", default=not DEBUG)
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
if PICTURES_BUCKET:
    from botocore.config import Config

    STORAGES["pictures"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": PICTURES_BUCKET,
            "endpoint_url": PICTURES_BUCKET_AT or None,
            # boto's own minute, five times over, would hold a thread for each picture meanwhile.
            "client_config": Config(
                connect_timeout=3,
                read_timeout=10,
                retries={"mode": "standard", "total_max_attempts": 2},
                s3={"addressing_style": "path" if PICTURES_BUCKET_AT else "auto"},
                signature_version="s3v4",
            ),
            "default_acl": None,  # private, as the bucket says: the forum sends the files itself
            "file_overwrite": True,  # names are sums
            "max_memory_size": 2 * 1024 * 1024,
        },
    }
WHITENOISE_USE_FINDERS = not env.bool("STATIC_MANIFEST", default=not DEBUG)
FIXTURE_DIRS = [BASE_DIR / "fixtures", BASE_DIR / "fixtures" / "threads"]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = False  # the interface speaks one language; translation calls cost a quarter of a page
USE_TZ = True

# --- Watching -------------------------------------------------------------------------------

# "line" for people, "json" for machines: then every request has a line as well.
LOG_FORMAT = env.str("LOG_FORMAT", default="line")
if LOG_FORMAT not in ("line", "json"):
    raise ImproperlyConfigured(f"LOG_FORMAT is line or json, not {LOG_FORMAT!r}.")
SLOW_QUERY_MS = env.int("SLOW_QUERY_MS", default=0)  # 0: none is logged
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # empty: nothing is counted

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"discreet": {"()": "forum.operations.observability.RedactingFilter"}},
    "formatters": {
        "line": {"()": "forum.operations.observability.LineFormatter"},
        "json": {"()": "forum.operations.observability.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["discreet"] * (not DEBUG),  # one's own machine may show everything
            "formatter": LOG_FORMAT,
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "forum": {"level": "INFO"},
        # Django's own handler would say the same line again in DEBUG.
        "django": {"level": "INFO", "handlers": ["console"], "propagate": False},
    },
}
