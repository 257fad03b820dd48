"""What is written about the project is true: settings, commands, links, and the assistant's own files."""

from __future__ import annotations

import argparse
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.__main__ import build_parser
from bot.business import Business, load_business
from bot.config import SETTINGS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])
TEXT = {page: page.read_text() for page in PAGES if page.exists()}

RASAS_OWN_ACTIONS = {
    *("action_listen", "action_restart", "action_session_start", "action_default_fallback", "action_back"),
    *(
        "action_deactivate_loop",
        "action_default_ask_affirmation",
        "action_default_ask_rephrase",
        "action_extract_slots",
    ),
    *("action_revert_fallback_events", "action_two_stage_fallback", "action_unlikely_intent"),
}


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def first_cells(pages: dict[Path, str]) -> Iterator[tuple[str, str]]:
    """The code in the first cell of each table row, with the heading of its column."""
    for text in pages.values():
        heading = ""
        lines = text.splitlines()
        for line, below in zip(lines, [*lines[1:], ""], strict=True):
            if line.startswith("|") and re.match(r"\|\s*:?-{3,}", below):
                heading = line.split("|")[1].strip().lower()
            elif line.startswith("|") and (found := re.match(r"\|\s*`([^`]+)`", line)):
                yield heading, found[1]


def documented_commands(prefix: str) -> set[str]:
    """What a table of commands says after the prefix: the next word."""
    cells = [cell for heading, cell in first_cells(TEXT) if heading == "command"]
    return {cell.removeprefix(prefix).split()[0] for cell in cells if cell.startswith(prefix)}


def make_targets() -> dict[str, str]:
    """Every target that is meant for people, with its line of help."""
    makefile = (ROOT / "Makefile").read_text()
    return dict(re.findall(r"^([a-z][a-z-]*):[^=\n]*?## (.+)$", makefile, re.M))


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    (action,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(action.choices)


def options_of(parser: argparse.ArgumentParser) -> set[str]:
    """The options of a command, with those of the commands below it."""
    found = {option for action in parser._actions for option in action.option_strings}
    below = [action.choices.values() for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return found.union(*(options_of(inner) for choices in below for inner in choices))


# Settings


def test_every_setting_is_in_a_table_and_every_setting_in_a_table_exists():
    documented = {cell for heading, cell in first_cells(TEXT) if heading == "setting"}

    assert documented == set(SETTINGS)


def test_a_setting_is_listed_once():
    names = [cell for heading, cell in first_cells(TEXT) if heading == "setting"]

    assert sorted(names) == sorted(set(names))


def test_every_setting_of_the_business_file_is_documented_and_every_documented_one_exists():
    # A week and a calendar are one setting each.
    known = {
        f"{name}.{inner}" if inner else name
        for name, field in Business.__fields__.items()
        for inner in ([""] if name in ("opening_hours", "holidays") else getattr(field.type_, "__fields__", [""]))
    }

    assert {cell for heading, cell in first_cells(TEXT) if heading == "in business.yml"} == known


def test_every_fact_for_answers_is_documented_and_every_documented_one_exists():
    facts = load_business(ROOT / "business.yml").facts()

    assert {cell for heading, cell in first_cells(TEXT) if heading == "fact"} == {f"{{{name}}}" for name in facts}


# Commands


def test_every_command_is_documented_and_every_documented_command_exists():
    assert documented_commands("python -m bot ") == set(subcommands(build_parser()))


def test_every_option_that_is_documented_exists_and_the_other_way_round():
    rows = {
        line.split("`")[1].removeprefix("python -m bot ").split()[0]: line
        for line in "\n".join(TEXT.values()).splitlines()
        if line.startswith("| `python -m bot ")
    }
    for name, parser in subcommands(build_parser()).items():
        options = options_of(parser) - {"-h", "--help"}
        documented = set(re.findall(r"--[a-z][a-z-]*", rows[name]))
        # `--supervised` is between the supervisor and its workers.
        assert documented == options - {"--supervised"}, name


def test_every_make_target_is_documented_and_every_documented_target_exists():
    assert documented_commands("make ") == set(make_targets())


def test_every_target_that_is_listed_is_a_target():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.search(r"^\.PHONY: (.+)$", makefile, re.M)[1].split()) - {"FORCE"}

    assert phony == set(make_targets())


@pytest.mark.parametrize("page", TEXT, ids=lambda page: page.name)
def test_every_command_in_the_text_exists(page):
    commands, targets = set(subcommands(build_parser())), set(make_targets())

    for command in re.findall(r"python -m bot ([a-z][a-z-]*)", TEXT[page]):
        assert command in commands
    for code in re.findall(r"`([^`\n]+)`|^ *(?:\$ )?(make [a-z].*)$", TEXT[page], re.M):
        for target in re.findall(r"^make ([a-z][a-z-]*)", code[0] or code[1]):
            assert target in targets
    for module in re.findall(r"python -m (bench\.[a-z_]+)", TEXT[page]):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists()


# Links


@pytest.mark.parametrize("page", TEXT, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page):
    links = re.findall(r"\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)", TEXT[page])

    for link in links:
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target.read_text()), link


def anchors(text: str) -> set[str]:
    """The anchors that a Markdown page has for its headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", TEXT, ids=lambda page: page.name)
def test_every_file_of_ours_that_the_text_names_exists(page):
    named = re.findall(r"`((?:bot|actions|bench|tests|tools|data|docs|\.ci)/[\w./-]+)`", TEXT[page])

    assert [name for name in named if not (ROOT / name).exists()] == []


# The assistant's own files


@pytest.fixture(scope="module")
def domain() -> dict[str, Any]:
    return read_yaml(ROOT / "domain.yml")


def steps(node: Any, key: str) -> Iterator[str]:
    """Every value under a key, however deep."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key and isinstance(value, str):
                yield value
            yield from steps(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from steps(item, key)


def story_files() -> list[Path]:
    return sorted([*(ROOT / "data" / "rules").rglob("*.yml"), *(ROOT / "data" / "stories").rglob("*.yml")])


def action_names() -> list[str]:
    """What the classes in actions/ are called in Rasa, as Rasa's own action server finds them."""
    from rasa_sdk.executor import ActionExecutor

    executor = ActionExecutor()
    executor.register_package("actions")
    return list(executor.actions)


def test_every_action_in_the_domain_has_a_class_and_every_class_is_in_the_domain(domain):
    assert sorted(action_names()) == sorted(domain["actions"])


def test_every_form_is_validated_by_a_class(domain):
    validators = {name for name in action_names() if name.startswith("validate_")}

    assert validators == {f"validate_{form}" for form in domain["forms"]}


def test_every_intent_has_examples_and_every_example_has_an_intent(domain):
    examples: dict[str, int] = {}
    for file in sorted((ROOT / "data" / "nlu").rglob("*.yml")):
        for block in read_yaml(file).get("nlu", []):
            if "intent" in block:
                lines = [line for line in block["examples"].splitlines() if line.strip().startswith("-")]
                examples[block["intent"]] = examples.get(block["intent"], 0) + len(lines)
    intents = {intent if isinstance(intent, str) else next(iter(intent)) for intent in domain["intents"]}

    assert set(examples) == intents
    assert {intent: count for intent, count in examples.items() if count < 5} == {}


def test_every_intent_in_a_rule_is_in_the_domain(domain):
    for file in story_files():
        used = {name for value in steps(read_yaml(file), "intent") for name in value.split(" or ")}
        assert used <= set(domain["intents"]) | {"nlu_fallback"}, file.name


def test_every_action_in_a_rule_exists(domain):
    known = {*domain["actions"], *domain["responses"], *domain["forms"], *RASAS_OWN_ACTIONS}
    for file in story_files():
        assert set(steps(read_yaml(file), "action")) <= known, file.name


def test_every_response_is_used_and_every_used_one_exists(domain):
    places = [*story_files(), *sorted((ROOT / "actions").rglob("*.py"))]
    used = {name for file in places for name in re.findall(r"\butter_\w+", file.read_text())} - {"utter_message"}
    asked = {
        name
        for form, content in domain["forms"].items()
        for slot in content["required_slots"]
        for name in (f"utter_ask_{slot}", f"utter_ask_{form}_{slot}")
    }

    assert used <= set(domain["responses"])
    assert set(domain["responses"]) <= used | asked


# The repository


def tracked_files() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("this is not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name]


REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|registry\.yarnpkg|artifactory"
    r"|--(?:extra-)?index-url|--trusted-host",
    re.IGNORECASE,
)
HOMES = re.compile(r"(?<![\w.-])/(?:root|home/\w+|Users/\w+)/")


def test_no_file_names_a_registry_or_somebodys_home():
    found = []
    for file in tracked_files():
        if file == Path(__file__):  # which names them to find them
            continue
        try:
            text = file.read_text()
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        found += [
            f"{file.relative_to(ROOT)}:{number}"
            for number, line in enumerate(text.splitlines(), 1)
            if REGISTRIES.search(line) or HOMES.search(line)
        ]
    assert found == []
