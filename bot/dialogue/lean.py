"""Keeps TensorFlow out of a worker whose model does not need it: it costs 300 MB and several seconds of start-up.

Rasa imports TensorFlow at the top of a few modules that every model needs, for classes that only TensorFlow components
or training use. Where the model has none of those components, placeholders stand in for these modules.
"""

from __future__ import annotations

import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

# The components of Rasa 3.6 that are built on TensorFlow, by the module in which they live.
_TENSORFLOW_COMPONENTS = (
    "rasa.nlu.classifiers.diet_classifier",
    "rasa.nlu.selectors.response_selector",
    "rasa.nlu.featurizers.dense_featurizer.lm_featurizer",
    "rasa.nlu.featurizers.dense_featurizer.convert_featurizer",
    "rasa.core.policies.ted_policy",
    "rasa.core.policies.unexpected_intent_policy",
)
_PLACEHOLDERS = {
    "rasa.utils.tensorflow.callback": ("RasaTrainingLogger", "RasaModelCheckpoint"),
    "rasa.utils.tensorflow.data_generator": ("RasaBatchDataGenerator", "RasaDataGenerator"),
    # Named in every model's record of its training, and imported with it; checks a configuration when training.
    "rasa.graph_components.validators.default_recipe_validator": ("DefaultV1RecipeValidator",),
}


class _Absent:
    """Stands where a TensorFlow class would; says so when somebody does need it."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("this process runs without TensorFlow; see bot/dialogue/lean.py")


def read_model_metadata(model_path: Path) -> str:
    """The trained model's own description (JSON). Raises OSError or ValueError when it is no model."""
    try:
        with tarfile.open(model_path) as archive:
            for member in archive:
                if Path(member.name).name == "metadata.json" and (file := archive.extractfile(member)) is not None:
                    return file.read().decode()
    except tarfile.TarError as error:
        raise ValueError(str(error)) from error
    raise ValueError("it is not a Rasa model")


def needs_tensorflow(metadata: str) -> bool:
    """Whether a trained model, by its own description, has a component that is built on TensorFlow."""
    return any(module in metadata for module in _TENSORFLOW_COMPONENTS)


def leave_out_tensorflow() -> None:
    """Put the placeholders in place. Must run before rasa is imported; does nothing once TensorFlow is there."""
    if "tensorflow" in sys.modules:
        return
    for name, classes in _PLACEHOLDERS.items():
        if name not in sys.modules:
            module = ModuleType(name)
            for class_name in classes:
                setattr(module, class_name, type(class_name, (_Absent,), {}))
            sys.modules[name] = module
