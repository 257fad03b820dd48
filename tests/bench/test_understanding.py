"""The benchmark of understanding: how messages are read from files, and how a model's answers are counted."""

from pathlib import Path

import pytest

from bench.understanding import main
from bench.understanding_messages import UnderstandingError, misspell, read_examples
from bench.understanding_report import config_lines, judge, show
from bot.nlu.intent_model import Gate, Prediction, Signals


def said(intent: str, first: str = "") -> Prediction:
    return Prediction(intent, 0.5, ((first or intent, 0.5),), Signals(0.5, 0.5, 0.5, 0.5), intent != first)


def test_what_is_out_of_scope_counts_against_our_intents_and_is_not_in_the_mean() -> None:
    meant = ["greet", "greet", "track", "track", "out_of_scope", "out_of_scope"]
    answers = [said("greet"), said("out_of_scope", "greet"), said("track"), said("track"), said("track"),
               said("out_of_scope")]  # fmt: skip

    score = judge(answers, meant, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])

    assert score.accuracy == pytest.approx(4 / 6)
    assert score.macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert score.accuracy_in_scope == pytest.approx(3 / 4)
    assert score.in_scope_lost_to_gate == pytest.approx(1 / 4)
    assert score.refused_out_of_scope == pytest.approx(1 / 2)
    assert ("greet", "out_of_scope", 1) in score.confusions and ("out_of_scope", "track", 1) in score.confusions
    assert "out-of-scope recall" in show({"written": score})


def test_messages_are_read_from_lines_from_csv_and_from_rasas_yaml(tmp_path: Path) -> None:
    lines, table, examples = tmp_path / "a.tsv", tmp_path / "a.csv", tmp_path / "a.yml"
    lines.write_text("greet\thello\n\ntrack\twhere is it\n", encoding="utf-8")
    table.write_text("sentence,label\nhello,greet\nwhat,NO_NODES_DETECTED\n", encoding="utf-8")
    examples.write_text('version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hello\n', encoding="utf-8")

    assert read_examples(lines) == (["hello", "where is it"], ["greet", "track"])
    assert read_examples(table) == (["hello", "what"], ["greet", "out_of_scope"])
    assert read_examples(examples) == (["hello"], ["greet"])


def test_a_file_without_messages_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.tsv").write_text("nothing here\n", encoding="utf-8")

    with pytest.raises(UnderstandingError, match=r"empty\.tsv holds no lines"):
        read_examples(tmp_path / "empty.tsv")
    assert main(["--eval", str(tmp_path / "missing.tsv")]) == 1
    assert "missing.tsv is missing" in capsys.readouterr().err


def test_typing_errors_are_the_same_for_the_same_seed() -> None:
    assert misspell(["where is my order"], 1) == misspell(["where is my order"], 1) != ["where is my order"]


def test_the_gate_is_printed_as_the_config_wants_it() -> None:
    assert config_lines(Gate(threshold=0.5)).splitlines()[0] == "    threshold: 0.5"
    assert "out_of_scope" not in config_lines(Gate())
