"""Who may import whom: arrows point inward, and only the dialogue knows Rasa."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# What each part of the project may import of the project. A part is the longest prefix that is listed.
ALLOWED = {
    "bot.core": {"bot.core"},
    "bot.services": {"bot.core", "bot.services", "bot.errors"},
    "bot.storage": {"bot.core", "bot.services", "bot.storage", "bot.errors"},
    "bot.gateway": {"bot.core", "bot.services", "bot.gateway", "bot.errors", "bot.metrics", "bot.waits"},
    "bot.channels": {"bot.core", "bot.services", "bot.channels", "bot.errors", "bot.waits"},
    "bot.dialogue": {"bot.core", "bot.services", "bot.dialogue", "bot.errors", "bot.metrics", "bot.waits"},
    "bot.imports": {"bot.core", "bot.services", "bot.imports", "bot.errors", "bot.yaml_files"},
    "bot.nlu": {"bot.nlu", "bot.core", "bot.content", "bot.errors"},
    "bot.reports": {"bot.core", "bot.services", "bot.reports", "bot.errors"},
    "actions": {"bot.core", "bot.services", "bot.errors", "actions"},
    # One module each, around the layers.
    "bot.errors": set(),
    "bot.clock": set(),
    "bot.logs": set(),
    "bot.metrics": set(),
    "bot.waits": set(),
    "bot.web_addresses": set(),
    "bot.yaml_files": {"bot.errors"},
    "bot.business_settings": {"bot.core", "bot.web_addresses", "bot.yaml_files"},
    "bot.widget_settings": {"bot.core", "bot.web_addresses", "bot.yaml_files"},
    "bot.widget_files": {"bot.core"},
    "bot.loyalty_values": {"bot.yaml_files"},
    "bot.loyalty_offers": {"bot.core", "bot.loyalty_values", "bot.yaml_files"},
    "bot.loyalty_settings": {"bot.core", "bot.loyalty_offers", "bot.loyalty_values", "bot.yaml_files"},
    "bot.feedback_settings": {"bot.core", "bot.yaml_files"},
    "bot.desk_settings": {"bot.core", "bot.yaml_files"},
    "bot.feedback_command": {"bot.core", "bot.errors", "bot.services"},
    "bot.business": {
        *("bot.business_settings", "bot.core", "bot.errors", "bot.feedback_settings", "bot.loyalty_settings"),
        *("bot.desk_settings", "bot.widget_files", "bot.widget_settings", "bot.yaml_files"),
    },
    "bot.content": {"bot.core", "bot.errors", "bot.yaml_files"},
    "bot.agent_commands": {"bot.core", "bot.errors", "bot.services"},
    "bot.customer_commands": {"bot.core", "bot.errors", "bot.services"},
    "bot.reward_commands": {"bot.core", "bot.errors", "bot.services"},
    "bot.config": {"bot.business", "bot.errors", "bot.web_addresses"},
    # Three that wire the rest: the composition root, which knows every layer, its part for the messaging channels, and
    # the command line, which starts it.
    "bot.messaging": {
        "bot.core",
        "bot.services",
        "bot.gateway",
        "bot.channels",
        "bot.config",
        "bot.errors",
        "bot.waits",
    },
    "bot.app": {
        *("bot.core", "bot.services", "bot.storage", "bot.gateway", "bot.channels", "bot.dialogue"),
        "bot.imports",
        "bot.reports",
        "bot.feedback_command",
        *("bot.business", "bot.clock", "bot.config", "bot.content", "bot.errors", "bot.metrics"),
        *("bot.agent_commands", "bot.customer_commands"),
        "bot.messaging",
        "bot.reward_commands",
        "bot.waits",
    },
    "bot.__main__": {"bot.app", "bot.config", "bot.errors", "bot.logs"},
    "bot": set(),
}
MAY_IMPORT_RASA = {"bot.dialogue", "bot.nlu", "actions"}
HEAVY = {
    *("rasa", "rasa_sdk", "tensorflow", "keras", "spacy", "sklearn", "onnxruntime", "tokenizers", "sanic"),
    *("numpy", "scipy", "pandas", "torch", "matplotlib", "faker"),
}
# 930 when this was counted. A number of its own, because a heavy library may come under any name.
FOREIGN_MODULES_OF_A_GATEWAY = 960

FILES = sorted(file.relative_to(ROOT) for folder in ("bot", "actions") for file in (ROOT / folder).rglob("*.py"))


def module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """The part of the project that a module belongs to."""
    return max((part for part in ALLOWED if f"{module}.".startswith(f"{part}.")), key=len)


def imports(file: Path, text: str | None = None) -> Iterator[str]:
    """Every module that a file imports, wherever in the file it does."""
    package = module_name(file).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse((ROOT / file).read_text() if text is None else text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            # `from bot import app` imports bot.app; `from bot.app import serve` imports bot.app.
            yield from (f"{base}.{alias.name}" if _is_module(f"{base}.{alias.name}") else base for alias in node.names)


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def outward(file: Path, text: str | None = None) -> list[str]:
    """The imports of a file that its part may not have."""
    part = part_of(module_name(file))
    wrong = []
    for name in imports(file, text):
        top = name.partition(".")[0]
        if top in ("rasa", "rasa_sdk"):
            if part not in MAY_IMPORT_RASA:
                wrong.append(name)
        elif top in ("bot", "actions"):
            target = part_of(name)
            if target != part and target not in ALLOWED[part]:
                wrong.append(name)
        elif top in ("tests", "bench"):
            wrong.append(name)
    return wrong


def environment_uses(file: Path, text: str | None = None) -> list[str]:
    """Where a file reads or writes the environment: the name of the variable, or "?" where it is not a literal."""
    uses = []
    tree = ast.parse((ROOT / file).read_text() if text is None else text)
    literal = {
        id(node.value): node.slice.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv", "putenv", "unsetenv"):
            uses.append(str(literal.get(id(node), "?")))
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            uses += ["?" for alias in node.names if alias.name in ("environ", "environb", "getenv", "putenv")]
    return uses


def test_no_import_points_outward():
    assert {str(file): wrong for file in FILES if (wrong := outward(file))} == {}


def test_only_the_configuration_touches_the_environment():
    touching = {str(file): uses for file in FILES if (uses := environment_uses(file))}

    assert set(touching) == {"bot/config.py", "bot/__main__.py"}
    # The one write: prometheus_client looks for this when it is first imported.
    assert touching["bot/__main__.py"] == ["PROMETHEUS_MULTIPROC_DIR"]


def test_nothing_waits_in_a_way_that_forgets_that_it_was_stopped():
    assert [file for file in FILES if "asyncio.wait_for(" in (ROOT / file).read_text()] == []


def test_every_part_is_listed():
    packages = {".".join(file.parent.parts) for file in FILES if file.name == "__init__.py" and file.parts[0] == "bot"}

    assert {package for package in packages if package.count(".") == 1} <= set(ALLOWED)


@pytest.mark.parametrize(
    ("file", "text", "wrong"),
    [
        ("bot/core/x.py", "import bot.services.turns", ["bot.services.turns"]),
        ("bot/core/x.py", "from bot.errors import BotError", ["bot.errors"]),
        ("bot/core/x.py", "from . import orders\nfrom .orders import Order\nfrom bot.core import orders", []),
        ("bot/core/x.py", "from ..services import turns", ["bot.services.turns"]),
        ("bot/services/x.py", "def f():\n    from bot import app", ["bot.app"]),
        ("bot/services/x.py", "from bot.storage.tables import orders", ["bot.storage.tables"]),
        ("bot/gateway/x.py", "from bot.storage import engine", ["bot.storage.engine"]),
        ("bot/gateway/x.py", "from bot.channels.mail import MailFolder", ["bot.channels.mail"]),
        ("bot/channels/x.py", "import bot.gateway", ["bot.gateway"]),
        ("bot/storage/x.py", "import rasa.core.agent", ["rasa.core.agent"]),
        ("bot/gateway/x.py", "from rasa_sdk import Action", ["rasa_sdk"]),
        ("bot/dialogue/x.py", "import rasa.core.agent\nimport actions.orders", ["actions.orders"]),
        ("bot/nlu/x.py", "from bot.dialogue import lean", ["bot.dialogue.lean"]),
        ("actions/x.py", "from bot.app import serve", ["bot.app"]),
        ("bot/clock.py", "from tests.gateway import hostile", ["tests.gateway.hostile"]),
    ],
)
def test_an_outward_import_is_found(file, text, wrong):
    assert outward(Path(file), text) == wrong


def test_a_use_of_the_environment_is_found():
    text = "import os\nfrom os import getenv\nos.environ['A'] = 'b'\nos.environ.get('C')\n"

    assert sorted(environment_uses(Path("bot/core/x.py"), text)) == ["?", "?", "A"]


def test_the_gateway_loads_nothing_that_only_the_dialogue_needs(tmp_path):
    program = """
import sys
from pathlib import Path
import bot.app
from bot.business import load_business
from bot.clock import SystemClock
from bot.gateway.application import create_gateway
from bot.gateway.settings import GatewaySettings
from bot.storage.engine import create_engine
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

url = f"sqlite:///{sys.argv[1]}/kasuki.db"
create_gateway(
    GatewaySettings(
        shop=load_business(Path("business.yml")).to_shop(), allowed_origins=frozenset(), demo=True,
        metrics_dir=Path(sys.argv[1]), secret_key="s" * 32, identity_secret="i" * 32, api_key="k",
    ),
    SqlDatabase(create_engine(url), create_wakeups(url)),
    SystemClock(),
)
print("\\n".join(sys.modules))
"""
    loaded = run_python(program, str(tmp_path))

    assert sorted({name.partition(".")[0] for name in loaded} & HEAVY) == []
    assert {"actions", "bot.__main__", "bot.dialogue.assistant", "bot.services.demo_data"} & loaded == set()
    assert len([name for name in loaded if name.partition(".")[0] != "bot"]) < FOREIGN_MODULES_OF_A_GATEWAY


def run_python(program: str, *arguments: str) -> set[str]:
    """The words that a program prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())
