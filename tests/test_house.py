"""House rules that are worth more than prose: layers, documentation, settings, migrations."""

import ast
import os
import re
import runpy
import subprocess
import sys
import traceback
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from django.apps import apps

from core.environment import Environment

ROOT = Path(__file__).resolve().parents[1]
CODE = [
    path
    for app in ("accounts", "core", "forum")
    for path in sorted((ROOT / app).rglob("*.py"))
    if "migrations" not in path.parts
]
# The wings, from the ground up; a module imports from its own line or one below. A name stands for
# the module and all within it.
LAYERS = (
    ("core", "forum.text"),
    ("accounts", "forum.operations", "forum.acts", "forum.settings", "forum.apps"),
    ("forum.models",),
    ("forum.opposites", "forum.permissions", "forum.tree", "forum.search", "forum.desk"),
    ("forum.rendering", "forum.templatetags", "forum.jinja"),
    ("forum.mailing",),
    ("forum.actions",),
    ("forum.moderation", "forum.own_data", "forum.transfer"),
    ("forum.outbox",),
    ("forum.checking", "forum.views", "forum.api"),
    ("forum.admin", "forum.management"),
    ("forum.middleware", "forum.urls", "forum.wsgi"),
)
# Modules that are longer than a screen's worth of ideas, and why.
LONG = {
    "accounts.models": "the member, and all that is a part of one account",
    "forum.actions.polls": "what becomes of a poll, from its question to its last vote",
    "forum.actions.posts": "what becomes of a post, from its reply to its withdrawal",
    "forum.acts": "one table: a reader finds every act in it",
    "forum.admin.debates": "the lists of debates and of all that belongs to them",
    "forum.moderation.closing": "one act, with the table of what becomes of every column",
    "forum.moderation.merging": "one act, told in the order in which it happens",
    "forum.moderation.moving": "two acts that share each step",
    "forum.operations.pictures.child": "a program of its own, which can import none of ours",
    "forum.permissions": "one charter: a reader finds every rule in it, and no second one",
    "forum.search.grammar": "one grammar: a reader finds every filter in it",
    "forum.settings": "every number with its reason, in one file",
    "forum.text.history_dates.parsing": "the ways in which people write dates, in order of trying",
    "forum.transfer.exporting": "one file format, in the order in which it stands",
    "forum.transfer.parsing": "one file format, checked in the order in which it stands",
    "forum.transfer.uploads": "one file on its way through the desk",
    "forum.tree.placing": "the only code that may place posts",
}
MOST_LINES = 300
LONGEST_LINE = 160  # of a template


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """The modules of this project that a file imports, wherever in it, absolutely named."""
    package = name_of(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from . import tree` names a module, `from .models import Post` what is in one.
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in ("accounts", "core", "forum")}


def layer(name: str) -> int | None:
    for number, line in enumerate(LAYERS):
        if any(name == part or name.startswith(f"{part}.") for part in line):
            return number
    return None


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_modules_import_downwards_only(path):
    own = name_of(path)
    if own == "forum":
        assert not imports(path)
        return
    assert layer(own) is not None, f"{own} stands on no line of LAYERS"
    for imported in imports(path):
        found = layer(imported)
        assert found is not None, f"{own} imports {imported}, which stands on no line"
        assert found <= layer(own), f"{own} imports {imported} from above"


def test_no_modules_import_each_other_in_a_circle():
    """Imports within functions count: a circle is two modules that can only be read together."""
    modules = {name_of(path) for path in CODE}
    graph = {
        name_of(path): {
            found if found in modules else found.rpartition(".")[0] for found in imports(path)
        }
        & modules - {name_of(path)}
        for path in CODE
        if path.name != "__init__.py"  # which hands on what is in its rooms
    }
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_accounts_and_text_engines_know_nothing_of_the_forum(path):
    own, names = name_of(path), imports(path)
    if own.startswith(("accounts", "core")):
        assert not {name for name in names if name.startswith("forum")}
    if own.startswith("core"):
        assert not {name for name in names if name.startswith("accounts")}
    for engine in (
        "forum.text.markup",
        "forum.text.marking",
        "forum.text.quoting",
        "forum.text.history_dates",
    ):
        if f"{own}.".startswith(f"{engine}."):
            assert {
                f"{name}." for name in names if not f"{name}.".startswith(f"{engine}.")
            } == set()


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_modules_are_short_or_say_why_not(path):
    if len(path.read_text().splitlines()) > MOST_LINES:
        assert name_of(path) in LONG


def test_no_long_module_is_excused_in_vain():
    long = {name_of(path) for path in CODE if len(path.read_text().splitlines()) > MOST_LINES}
    assert set(LONG) <= long


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_public_functions_say_what_they_do(path):
    tree = ast.parse(path.read_text())
    if path.name != "__init__.py":
        assert ast.get_docstring(tree), "the module says nothing of itself"
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert not silent


def test_there_is_one_kind_of_refusal():
    """Views catch Problem alone: what actions and the charter raise for a person is one."""
    for path in CODE:
        if name_of(path).startswith(("forum.actions", "forum.permissions")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    bases = {ast.unparse(base) for base in node.bases}
                    assert not bases & {"Exception", "ValueError"}, f"{path}: {node.name}"
        if name_of(path).startswith("forum.views"):
            caught = [
                ast.unparse(node.type)
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.ExceptHandler) and node.type
            ]
            assert not {"(Refused, composing.Unacceptable)", "pace.TooFast"} & set(caught)


def test_there_is_no_drawer_for_everything():
    names = {path.name for path in CODE}
    assert not names & {"utils.py", "helpers.py", "misc.py", "common.py", "signals.py"}


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_nothing_happens_behind_the_back(path):
    """No signals: the order of a flow can be read where it happens."""
    source = path.read_text()
    for word in ("django.dispatch", "models.signals", "@receiver", "_save.connect"):
        assert word not in source


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_rows_of_one_table_are_locked_at_a_time(path):
    """Of a row that changed while a lock was waited for, PostgreSQL compares the new version with
    the old rows that are joined to it, and finds nothing: what is joined is read after the lock."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and "select_for_update" in ast.unparse(node.func):
            said = ast.unparse(node)
            assert "select_related" not in said, said
            assert "of=" not in said, said


# What django-mptt offers and must not be used, and what only forum.tree may use.
NEVER = {"rebuild", "partial_rebuild", "delay_mptt_updates", "disable_mptt_updates"}
NEVER |= {"order_insertion_by", "build_tree_nodes", "get_cached_trees"}
ONLY_TREE = {"insert_node", "move_to", "move_node", "insert_at"}


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_posts_are_placed_by_the_tree_module_alone(path):
    nodes = list(ast.walk(ast.parse(path.read_text())))
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {node.id for node in nodes if isinstance(node, ast.Name)}
    assert not used & NEVER
    if not name_of(path).startswith("forum.tree."):
        assert not used & ONLY_TREE
        # Keywords that would write labels past it.
        labels = {"lft", "rght", "tree_id"}
        for call in nodes:
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "update":
                assert not labels & {word.arg for word in call.keywords}


# Where an opening's own words are written, kept, compared, or shown by the rule of see_opening.
CARD = {
    *(
        "models/threads.py",
        "migrations/",
        "actions/",
        "moderation/",
        "checking/",
        "rendering/thread_page.py",
        "api/rows.py",
        "views/writing.py",
    ),
    *("views/describing.py", "templates/threads/describe.html"),
    "templates/questions/questions.html",  # asks for debates whose opening stands
    "transfer/exporting.py",  # refuses where it does not
    "transfer/loading.py",
    "transfer/updating.py",
    "views/acts.py",  # says that there are some
}


def test_an_openings_own_words_are_shown_by_one_rule():
    """Elsewhere `shown_card` tells of a debate what everybody may read of its opening."""
    files = [*(ROOT / "forum").rglob("*.py"), *(ROOT / "templates").rglob("*.html")]
    bare = [
        str(path.relative_to(ROOT))
        for path in files
        if re.search(r"(?:thread|meanwhile)\.(?:card|whole_card|own_answer)\b", path.read_text())
    ]
    assert [one for one in bare if not any(allowed in one for allowed in CARD)] == []


def test_no_line_of_a_page_is_longer_than_a_screen_is_wide():
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in ROOT.glob("templates*/**/*.html")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []


def test_no_template_walks_a_tree_by_recursion():
    for path in ROOT.glob("templates*/**/*.html"):
        assert "recursetree" not in path.read_text()


# What a thread and its board count. Only forum.tree writes it, and only under the thread's lock.
COUNTED = {
    *("version", "numbered", "numbering", "reply_count", "last_post", "last_post_id"),
    *("last_post_at", "branch_locks", "lane_counts", "thread_count"),
    "divergences_version",
}
# Who sets them on a locked row that tree.save_thread then writes, which asks for the lock.
COUNTERS = {
    "forum.actions.arguments": {"count", "count_lanes"},
    "forum.actions.reassigning": {"reassign_rows", "last_word", "recount"},
    "forum.transfer.loading": {"_publish"},
    "forum.transfer.updating": {"_assign_parent", "write"},
    "forum.moderation.states": {"set_branch_lock"},
    "forum.actions.posts": {"add", "set_state"},
}
# Who raises versions of other threads, by one statement that needs no row read before.
UNLOCKED = {
    "forum.transfer.attaching": {"link_variants"},
    "forum.actions.elsewhere": {"touch", "mark"},
    "forum.checking.labels": {"check_boards"},  # under the board's own lock
}
# Acts on a post begin with actions.locking.locked_post. These lock several threads at once, and
# compare what they locked with where the post is then.
SEVERAL = {"forum.moderation.moving": {"move_branch"}, "forum.moderation.undoing": {"_take_number"}}


def functions(path: Path):
    """(name, node) of every function in a file, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node


def called(node: ast.Call) -> str:
    return ast.unparse(node.func)


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_counters_are_written_with_the_lock_of_their_thread(path):
    own = name_of(path)
    if own.startswith("forum.tree.") or own == "forum.models.threads":
        return
    for name, function in functions(path):
        for node in ast.walk(function):
            targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
            for target in targets if isinstance(node, ast.Assign | ast.AugAssign) else ():
                for part in ast.walk(target):
                    if isinstance(part, ast.Attribute) and part.attr in COUNTED:
                        assert name in COUNTERS.get(own, ()), f"{own}.{name} sets {part.attr}"
            if not isinstance(node, ast.Call):
                continue
            words = {word.arg for word in node.keywords}
            if called(node).endswith(".update") and words & COUNTED:
                assert name in UNLOCKED.get(own, ()), f"{own}.{name} writes {words & COUNTED}"
            fields = {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)}
            if called(node).endswith((".save", ".bulk_update")):
                assert not fields & COUNTED, f"{own}.{name} saves {fields & COUNTED}"


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_acts_on_a_post_lock_its_debate_in_one_way(path):
    own = name_of(path)
    if own == "forum.actions.locking":
        return
    for name, function in functions(path):
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and called(node) == "tree.lock":
                of_post = any(
                    isinstance(part, ast.Attribute) and part.attr == "thread_id"
                    for argument in node.args
                    for part in ast.walk(argument)
                    if not ast.unparse(argument).startswith("batch.")
                )
                assert not of_post or name in SEVERAL.get(own, ()), f"{own}.{name}"


# Who knows no model, and what is never a row elsewhere.
NO_MODELS = ("core.", "forum.text.", "forum.operations.")
NO_ROWS = {
    "self",
    "cls",
    "request",
    "response",
    "form",
    "run",
    "loaded",
    "Desk",
    "cast(forms.ModelChoiceField, self.fields['board'])",
}
GIVEN = {
    # The desk tells the method that fills a field nothing but the row: who asks travels with it.
    "forum.admin.debates": {"thread.tree_page", "post.reader"},
    # Placements of forum.tree, and the posts of a file.
    "forum.moderation.merging": {"row.basis"},
    "forum.moderation.moving": {"root.basis", "row.basis"},
    "forum.moderation.undoing_moves": {"rows[pk].basis"},
    "forum.transfer.parsing": {"post.quoted", "post.rendered"},
    # What a zip says of a file in it.
    "forum.transfer.packing": {"entry.compress_type", "entry.create_system", "entry.external_attr"},
}


def declared() -> dict[str, set[str]]:
    """By the name of each model in small letters, what its rows have."""
    return {
        model.__name__.lower(): {
            *dir(model),
            *(field.name for field in model._meta.get_fields()),
            *(field.attname for field in model._meta.concrete_fields),
            "pk",
        }
        for label in ("accounts", "forum")
        for model in apps.get_app_config(label).get_models()
    }


def assigned(path: Path):
    """Every `name.attribute` that a module writes to."""
    for node in ast.walk(ast.parse(path.read_text())):
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        if not isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For):
            continue
        for target in targets:
            parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
            for part in parts:
                if isinstance(part, ast.Attribute):
                    yield part


@pytest.mark.parametrize("path", CODE, ids=name_of)
def test_nothing_is_hung_on_a_row_that_its_model_does_not_declare(path):
    """What a page says of a row is an object of its own (rendering/posts.PostEntry)."""
    if f"{name_of(path)}.".startswith(NO_MODELS):
        return
    models = declared()
    anything = set().union(*models.values())
    own = {
        node.target.id if isinstance(node, ast.AnnAssign) else node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name))
        or (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node.value) in ("self", "cls")
        )
    }
    for part in assigned(path):
        holder = ast.unparse(part.value)
        last = holder.rpartition(".")[2]
        if holder in NO_ROWS or ast.unparse(part) in GIVEN.get(name_of(path), ()):
            continue
        # A variable that is called like a model holds a row of it; of others it is enough that
        # some model has the attribute, or a class of this very module.
        known = models.get(last) or anything | own
        assert part.attr in known, f"{name_of(path)} hangs {ast.unparse(part)} on a row"


def test_nobody_is_excused_in_vain():
    there = {name_of(path): {name for name, _ in functions(path)} for path in CODE}
    for excused in (COUNTERS, UNLOCKED, SEVERAL):
        for module, names in excused.items():
            assert names <= there[module]


# --- Settings ---------------------------------------------------------------------------------

PRODUCTION = {
    "ALLOWED_HOSTS": "forum.example",
    "CONFIRM_ADDRESS": "required",
    "DEBUG": "0",
    "HTTPS": "1",
    "SECRET_KEY": "8vT3-qLm0zXw_41bRkU7ePdY5nHs2cGjAoFi6yEtVuQlWxKzMr",
    "SITE_URL": "https://forum.example",
    "STATIC_MANIFEST": "0",
}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run manage.py with this environment and no other; what is empty counts as not set."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_production_settings_pass_djangos_own_check(tmp_path):
    data = {"JONBAR_DATA": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3"}
    done = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION, **data)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS"])
def test_production_refuses_to_start_without(missing, tmp_path):
    done = manage("check", **{**PRODUCTION, missing: "", "JONBAR_DATA": str(tmp_path)})
    assert done.returncode != 0
    assert "ImproperlyConfigured" in done.stderr
    assert missing in done.stderr


def test_migrations_are_complete(tmp_path):
    data = {"JONBAR_DATA": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3"}
    done = manage("makemigrations", "--check", "--dry-run", **PRODUCTION, **data)
    assert done.returncode == 0, done.stdout + done.stderr


def test_migrations_have_names_and_one_line_of_history():
    for app in ("accounts", "forum"):
        names = sorted(p.stem for p in (ROOT / app / "migrations").glob("0*.py"))
        assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)]
        assert not [name for name in names if "_auto_" in name]


def settings_of_the_environment() -> set[str]:
    settings = (ROOT / "forum" / "settings.py").read_text()
    names = set(re.findall(r"""env(?:\.\w+)?\(\s*["'](\w+)["']""", settings))
    assert len(names) > 15, "settings.py is read otherwise now"
    return names


@pytest.mark.parametrize("value", ["no such value", "-1"])
def test_a_setting_that_cannot_be_is_named(monkeypatch, tmp_path, value):
    """Whoever mistypes one is told which, by a sentence."""
    for name, given in {**PRODUCTION, "JONBAR_DATA": str(tmp_path)}.items():
        monkeypatch.setenv(name, given)
    unnamed = {}
    for name in sorted(settings_of_the_environment() - {"JONBAR_DATA", "JONBAR_ENV_FILE"}):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            try:
                runpy.run_path(str(ROOT / "forum" / "settings.py"))
            except Exception as error:
                if name not in str(error):
                    unnamed[name] = repr(error)
    assert not unnamed


@pytest.mark.parametrize("password", ["gehe/im", "gehe#im", "gehe[im", "gehe:im@x"])
def test_no_piece_of_a_password_is_shown(monkeypatch, tmp_path, password):
    """The commonest mistake in an address is a password with a sign that ends it."""
    for name, given in {**PRODUCTION, "JONBAR_DATA": str(tmp_path)}.items():
        monkeypatch.setenv(name, given)
    for name, scheme in (("DATABASE_URL", "postgres"), ("CACHE_URL", "redis")):
        with monkeypatch.context() as patch:
            patch.setenv(name, f"{scheme}://member:{password}@host:1234/5")
            try:
                runpy.run_path(str(ROOT / "forum" / "settings.py"))
            except Exception:
                shown = traceback.format_exc()
                assert "gehe" not in shown and name in shown


def test_a_yes_may_stand_in_another_variable(monkeypatch):
    monkeypatch.setenv("JONBAR_YES", "on")
    for given, meant in (("$JONBAR_YES", True), ("2", True), ("0", False), ("off", False)):
        monkeypatch.setenv("JONBAR_IS", given)
        assert Environment().bool("JONBAR_IS") is meant


def test_every_setting_of_the_environment_is_documented():
    names = settings_of_the_environment()
    operating = (ROOT / "docs" / "operating.md").read_text()
    assert not {name for name in names if not re.search(rf"`{name}`", operating)}


# --- Texts ------------------------------------------------------------------------------------

TEXTS = (".py", ".md", ".html", ".css", ".js", ".toml", ".txt", ".json", ".in", ".yml", "run", "")
# In two parts, so that this file does not find itself.
ELSEWHERE = re.compile(
    "/" + r"(?:work|root|home/\w+|tmp/v)\b/" + "|" + r"https?://[\w.-]*" + "pypi"
)


def test_no_text_names_the_machine_it_was_written_on():
    left_out = {"var", "__pycache__", "vendor"}  # and hidden folders, which tools write, but ours
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [n for n in folders if n not in left_out and (n[0] != "." or n == ".ci")]
        for name in files:
            path = Path(folder) / name
            if path.suffix in TEXTS and not path.name.startswith((".env", ".git")):
                found = ELSEWHERE.search(path.read_text(errors="replace"))
                assert not found, f"{path.relative_to(ROOT)} names {found[0]}"
