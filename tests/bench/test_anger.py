"""The benchmark of anger, on the messages that come with the project."""

from pathlib import Path

from bench.anger import calm_messages, main, measure


def test_angry_messages_are_heard_and_calm_ones_call_nobody() -> None:
    shares = {name: len(found) / number for name, found, number in measure(None)}

    assert min(shares.pop(f"our list: {kind}") for kind in ("angry", "threat")) >= 0.95
    assert len(shares) == 3 and max(shares.values()) < 0.01


def test_complaints_and_abuse_are_no_calm_messages(tmp_path: Path) -> None:
    file = tmp_path / "said.tsv"
    file.write_text(
        "track\twhere is it\nabuse\tyou fools\ncomplaint\tI complain\ntrack\twhere is it\n", encoding="utf-8"
    )

    assert calm_messages(file) == ["where is it"]


def test_missing_data_are_named(tmp_path: Path, capsys) -> None:
    assert main(["--benchmarks", str(tmp_path)]) == 1
    assert "banking77/train.tsv is missing" in capsys.readouterr().err
