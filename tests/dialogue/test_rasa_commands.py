"""Rasa's own commands keep working on this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_rasa_finds_nothing_to_warn_of_in_the_training_data() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rasa", "data", "validate", "--fail-on-warnings"],
        cwd=ROOT,
        env={**os.environ, "RASA_TELEMETRY_ENABLED": "false"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


async def test_the_actions_work_in_rasas_own_action_server(demo_file, tmp_path, monkeypatch) -> None:
    """As `rasa run actions` calls them: no worker, no turn, a sender id of Rasa's choosing."""
    import shutil

    from rasa_sdk.executor import ActionExecutor

    import bot.app

    monkeypatch.setattr(bot.app, "_standalone", None)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{shutil.copy(demo_file, tmp_path / 'kasuki.db')}")
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    executor = ActionExecutor()
    executor.register_package("actions")
    events = [{"event": "action", "name": "action_listen"}, {"event": "user"}]
    entities = [
        {"entity": "order_number", "value": "TC-10002", "start": 0, "end": 8},
        {"entity": "email", "value": "maria@example.com", "start": 10, "end": 27},
    ]
    message = {"text": "TC-10002, maria@example.com", "intent": {"name": "track_order"}, "entities": entities}

    async def call(action: str, **slots: str | None) -> dict:
        tracker = {
            "sender_id": "somebody",
            "slots": slots,
            "latest_message": message,
            "events": events,
            "active_loop": {},
        }
        return await executor.run({"next_action": action, "sender_id": "somebody", "tracker": tracker, "domain": {}})

    found = await call("validate_task_form", wish="track_order")
    assert "on its way" in found["responses"][0]["text"]
    handed_over = await call("action_request_handoff")
    assert "passed your request" in handed_over["responses"][0]["text"]
    again = await call("action_request_handoff")
    assert "still with our team" in again["responses"][0]["text"]
    db, *_ = bot.app._standalone
    await db.close()
