"""Stock Rasa to compare with: its own packages, default pipeline and policies, our domain, data and actions."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.processes import ROOT, BenchmarkError, tail
from bench.report import say

# Rasa's SQLTrackerStore needs SQLAlchemy 1.4 and this project uses 2, so the server gets an environment of its own,
# with what Rasa itself asks for. Without the bound, ml-dtypes may need a newer numpy than Rasa allows.
REQUIREMENTS = ("rasa==3.6.21", "ml-dtypes<0.6")
SHOWN_PACKAGES = ("rasa", "rasa-sdk", "tensorflow", "sqlalchemy", "sanic", "aiohttp", "numpy")
INSTALL_SECONDS, TRAIN_SECONDS = 1_800, 3_600

# What `rasa init` chooses when nothing is configured: rasa/engine/recipes/config_files/default_config.yml.
# RegexEntityExtractor is the one addition: our forms need order numbers and e-mail addresses as entities.
CONFIG = """\
recipe: default.v1
assistant_id: stock
language: en
pipeline:
  - name: WhitespaceTokenizer
  - name: RegexFeaturizer
  - name: LexicalSyntacticFeaturizer
  - name: CountVectorsFeaturizer
  - name: CountVectorsFeaturizer
    analyzer: char_wb
    min_ngram: 1
    max_ngram: 4
  - name: RegexEntityExtractor
  - name: DIETClassifier
    epochs: 100
    constrain_similarities: true
  - name: EntitySynonymMapper
  - name: ResponseSelector
    epochs: 100
    constrain_similarities: true
  - name: FallbackClassifier
    threshold: 0.3
    ambiguity_threshold: 0.1
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
  - name: UnexpecTEDIntentPolicy
    max_history: 5
    epochs: 100
  - name: TEDPolicy
    max_history: 5
    epochs: 100
    constrain_similarities: true
"""
# The patterns of that addition. The extractor wants each entity annotated at least once.
DETAILS = """\
version: "3.1"
nlu:
- regex: order_number
  examples: |
    - \\bTC-\\d{5}\\b
- regex: email
  examples: |
    - [\\w.+-]+@[\\w-]+\\.[\\w.]+
- intent: provide_details
  examples: |
    - the number is [TC-20551](order_number)
    - it is [TC-31072](order_number)
    - my e-mail is [ana@example.com](email)
    - [ben.cruz@example.com](email)
"""
# Only with --stories. Where there is no story at all, TEDPolicy and UnexpecTEDIntentPolicy are trained on nothing and
# do nothing; a project that keeps `rasa init`'s way of working has stories. These follow our rules.
STORIES = """\
version: "3.1"
stories:
- story: opening hours, and thanks
  steps:
  - intent: greet
  - action: action_greet
  - intent: opening_hours
  - action: action_opening_hours
  - intent: thank
  - action: utter_welcome
  - intent: goodbye
  - action: utter_goodbye
- story: an order, after a question about the bot
  steps:
  - intent: bot_challenge
  - action: action_introduce_bot
  - intent: track_order
  - action: action_start_task
  - action: task_form
  - active_loop: task_form
  - active_loop: null
  - slot_was_set:
    - requested_slot: null
  - intent: thank
  - action: utter_welcome
- story: capabilities, and something else
  steps:
  - intent: ask_capabilities
  - action: action_explain_capabilities
  - intent: out_of_scope
  - action: action_decline
  - intent: affirm
  - action: action_affirm
"""
CREDENTIALS = "rest:\n"


class StockRasa:
    """A folder with an environment and trained models, kept between runs: everything in it can be made again."""

    def __init__(self, work: Path, *, with_stories: bool = False) -> None:
        self._additions = {"nlu/stock_details.yml": DETAILS}
        if with_stories:
            self._additions["stories/stock_stories.yml"] = STORIES
        self._venv = work / f"stock-venv-{_digest(REQUIREMENTS)}"
        self._work = work
        self.python = self._venv / "bin" / "python"

    def prepare(self) -> Path:
        """Make what is missing, and return the trained model. Raises BenchmarkError when that fails."""
        self._work.mkdir(parents=True, exist_ok=True)
        self._install()
        return self._train()

    def versions(self) -> dict[str, str]:
        """The installed versions of the packages that matter."""
        code = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
        command = [str(self.python), "-c", code, *SHOWN_PACKAGES]
        found: dict[str, str] = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        return found

    def _install(self) -> None:
        stamp = self._venv / ".installed"
        if stamp.exists():
            return
        say(f"making an environment with stock Rasa in {self._venv} (2.5 GB, once) ...")
        shutil.rmtree(self._venv, ignore_errors=True)
        log = self._work / "install.log"
        what = "stock Rasa's environment could not be made"
        python = _run(["sh", str(ROOT / "tools" / "find_python.sh")], log, what, INSTALL_SECONDS)
        try:
            uv = _run(["sh", str(ROOT / "tools" / "find_uv.sh")], log, what, 60)
        except BenchmarkError:
            uv = ""
        if uv:
            _run([uv, "venv", "--quiet", "--python", python, str(self._venv)], log, what, INSTALL_SECONDS)
            install = [uv, "pip", "install", "--quiet", "--python", str(self.python)]
        else:
            _run([python, "-m", "venv", str(self._venv)], log, what, INSTALL_SECONDS)
            install = [str(self.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, *REQUIREMENTS], log, what, INSTALL_SECONDS)
        stamp.touch()

    def _train(self) -> Path:
        inputs = [ROOT / "domain.yml", *sorted((ROOT / "data").rglob("*.yml"))]
        contents = [f"{path.relative_to(ROOT)}\n{path.read_text(encoding='utf-8')}" for path in inputs]
        key = _digest([*REQUIREMENTS, CONFIG, *self._additions.values(), *contents])
        model = self._work / f"stock-{key}.tar.gz"
        if model.exists():
            return model
        say("training stock Rasa with its default pipeline and policies (some minutes, once for this data) ...")
        project = self._work / f"stock-{key}"
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()
        shutil.copy(ROOT / "domain.yml", project)
        shutil.copytree(ROOT / "data", project / "data")
        for name, text in self._additions.items():
            path = project / "data" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (project / "config.yml").write_text(CONFIG, encoding="utf-8")
        log = self._work / f"stock-{key}.log"
        train = ["-m", "rasa", "train", "--fixed-model-name", "stock", "--out", "models"]
        _run([str(self.python), *train], log, "stock Rasa could not be trained", TRAIN_SECONDS, cwd=project)
        (project / "models" / "stock.tar.gz").replace(model)
        shutil.rmtree(project)
        return model


def stock_environment(base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for the stock programs: they must not see this project's packages."""
    environment = {name: value for name, value in base.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return {**environment, "RASA_TELEMETRY_ENABLED": "false", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}


def write_stock_settings(folder: Path, *, action_port: int) -> None:
    """endpoints.yml and credentials.yml as Rasa's documentation shows them: SQLite, one action server, REST."""
    (folder / "credentials.yml").write_text(CREDENTIALS, encoding="utf-8")
    endpoints = {
        "action_endpoint": {"url": f"http://127.0.0.1:{action_port}/webhook"},
        "tracker_store": {"type": "SQL", "dialect": "sqlite", "db": str(folder / "rasa.db")},
    }
    (folder / "endpoints.yml").write_text(json.dumps(endpoints), encoding="utf-8")  # JSON is YAML


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def _run(command: Sequence[str], log: Path, what: str, seconds: float, *, cwd: Path = ROOT) -> str:
    with log.open("a", encoding="utf-8") as output:
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                env=stock_environment(),
                cwd=cwd,
                timeout=seconds,
                text=True,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BenchmarkError(f"{what}: {error}") from error
        output.write(done.stdout)
    if done.returncode != 0:
        print(tail(log), file=sys.stderr)
        raise BenchmarkError(f"{what}: `{' '.join(command)}` failed with status {done.returncode}; see {log}")
    return done.stdout.strip()
