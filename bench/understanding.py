"""How well messages are understood: our model or any examples, with typing errors, and the public benchmarks."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.report import describe_machine, machine_line, say, table, write_json
from bench.understanding_messages import (
    Understanding,
    UnderstandingError,
    load_shipped,
    misspell,
    predict,
    read_examples,
)
from bench.understanding_public import FEW_SHOT, HINT3, PUBLIC, run_few_shot, run_hint3
from bench.understanding_report import config_lines, draw_confusion, judge, percent, show

if TYPE_CHECKING:
    from bot.nlu.gate_choice import OperatingPoint

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "models" / "kasuki.tar.gz"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.understanding", description=__doc__)
    parser.add_argument("--eval", type=Path, metavar="FILE", help="score on these messages: .tsv, .csv or Rasa's .yml")
    parser.add_argument("--train", type=Path, metavar="FILE", help="train on these examples, not the shipped model")
    parser.add_argument("--model", type=Path, default=MODEL, metavar="FILE", help="the Rasa model to score")
    parser.add_argument("--typos", action="store_true", help="score again with typing errors, once a seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="of the typing errors (0 1 2)")
    parser.add_argument("--confusion", type=Path, metavar="FILE.png", help="draw the confusion matrix of --eval")
    parser.add_argument("--benchmarks", type=Path, metavar="FOLDER", help="the public table, from this folder")
    parser.add_argument("--only", nargs="+", default=[*PUBLIC, *HINT3], metavar="NAME", help="these benchmarks alone")
    parser.add_argument("--shots", nargs="+", default=FEW_SHOT, choices=FEW_SHOT, help="these training files alone")
    parser.add_argument("--choose-gate", action="store_true", help="choose the gate on --train, or on data/nlu")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there as well")
    options = parser.parse_args(arguments)
    if not (options.eval or options.benchmarks or options.choose_gate):
        parser.error("say what to measure: --eval FILE, --benchmarks FOLDER or --choose-gate")
    machine = describe_machine()
    print(machine_line(machine))
    try:
        result = _measure(options)
    except UnderstandingError as error:
        print(error, file=sys.stderr)
        return 1
    write_json(options.json, {"machine": machine, **result})
    return 0


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if options.choose_gate:
        result["gate"] = _choose_gate(options.train or ROOT / "data" / "nlu")
    if options.benchmarks:
        accuracies = run_few_shot(options.benchmarks, options.only, options.shots)
        refusals = run_hint3(options.benchmarks, options.only)
        result |= {"few_shot": accuracies, "hint3": refusals}
        print("\n" + table(["accuracy, %", "5 examples", "10 examples", "all"], accuracies))
        print("\n" + table(["HINT3 v1, %", "in scope", "refused out of scope", "gate"], refusals))
    if options.eval:
        texts, intents = read_examples(options.eval)
        with tempfile.TemporaryDirectory() as folder:
            understanding = _understanding(options, Path(folder))
            predictions, times = predict(understanding, texts)
            scores = {"written": judge(predictions, intents, times)}
            for seed in options.seeds if options.typos else ():
                misspelt, slower = predict(understanding, misspell(texts, seed))
                scores[f"misspelt, seed {seed}"] = judge(misspelt, intents, slower)
        if options.confusion:
            draw_confusion(options.confusion, intents, predictions)
        result["scores"] = scores
        print("\n" + show(scores))
    return result


def _choose_gate(examples: Path) -> OperatingPoint:
    from bot.nlu.gate_choice import choose_gate, cross_validate

    texts, intents = read_examples(examples)
    point = choose_gate(cross_validate(texts, intents, say=say))
    rows = [
        [percent(point.accuracy_without_gate), percent(point.accuracy_in_scope), percent(point.refused_out_of_scope)]
    ]
    print("\n" + table(["in scope without the gate", "in scope with it", "refused out of scope"], rows))
    print("\nFor the SentenceIntentClassifier in config.yml:\n\n" + config_lines(point.gate))
    return point


def _understanding(options: argparse.Namespace, folder: Path) -> Understanding:
    if options.train is None:
        return load_shipped(options.model, folder)
    from bot.nlu.training import train_understanding

    texts, intents = read_examples(options.train)
    say(f"training on {len(texts)} messages")
    return train_understanding(texts, intents, folder)


if __name__ == "__main__":
    sys.exit(main())
