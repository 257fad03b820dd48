"""Files that a shop's owner writes: read as YAML, checked, and their faults put into the owner's words."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Extra, ValidationError, validator
from pydantic.fields import ModelField
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from bot.errors import ConfigError

_MOST = Decimal(10**9)


class _Constructor(SafeConstructor):
    """Leaves dates as text: YAML's own reading fails on 2027-02-30 without saying where."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


class Part(BaseModel):
    """A part of a file: unknown keys are faults, and text must be text."""

    class Config:
        extra = Extra.forbid
        allow_mutation = False
        anystr_strip_whitespace = True
        min_anystr_length = 1

    @validator("*", pre=True)
    def _text_is_text(cls, value: object, field: ModelField) -> object:
        if field.outer_type_ is str and value is not None and not isinstance(value, str):
            # YAML makes numbers of phone numbers and of postcodes, and loses their zeros.
            raise ValueError("is not text: put it in quotes")
        return value


def read_yaml(path: Path, hint: str = "") -> Any:
    """What a YAML file holds. Raises ConfigError, naming the file and the line; `hint` is added to a missing file's."""
    try:
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Constructor
        return yaml.load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read ({error.strerror}){hint and f'; {hint}'}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text"]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError([f"{path}: {where}{error.problem or 'is not valid YAML'}"]) from None
    except YAMLError as error:
        raise ConfigError([f"{path}: is not valid YAML: {' '.join(str(error).split())}"]) from None


def is_group(content: object) -> bool:
    """Whether this is settings, each as `name: value`."""
    return isinstance(content, dict) and all(isinstance(key, str) for key in content)


def as_amount(value: object) -> Decimal:
    """An amount of money as it is written, 2.50 or "2.50". Raises ValueError for anything else."""
    try:
        # Through text: a float's own digits are the ones that were written.
        amount = Decimal(str(value)) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or not 0 <= amount <= _MOST:
        raise ValueError(f"{value!r} is not an amount such as 2.50")
    return amount


def describe_faults(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """The faults that pydantic found in a model's settings, each as `setting: what is wrong`, in an owner's words."""
    for fault in error.errors():
        where = ".".join(str(key) for key in fault["loc"] if key != "__root__")
        match fault["type"]:
            case "value_error.missing":
                what = "is missing"
            case "type_error.none.not_allowed" | "value_error.any_str.min_length" | "value_error.list.min_items":
                what = "is empty"
            case "value_error.extra":
                what = "is not a setting" + _suggest(fault["loc"], model)
            case "type_error.dict":
                what = "is not a group of settings, each as `name: value`"
            case "type_error.list":
                what = "is not a list, such as [one, two]"
            case "type_error.integer":
                what = "is not a whole number"
            case "value_error.boolean" | "value_error.strictbool" | "type_error.bool":
                what = "is not true or false"
            case _:
                what = fault["msg"]
        yield f"{where}: {what}"


def _suggest(loc: tuple[str | int, ...], model: type[BaseModel]) -> str:
    for key in loc[:-1]:
        field = model.__fields__.get(str(key))
        if field is not None and isinstance(field.type_, type) and issubclass(field.type_, BaseModel):
            model = field.type_
    near = difflib.get_close_matches(str(loc[-1]), list(model.__fields__), n=1)
    known = ", ".join(model.__fields__)
    return f"; did you mean {near[0]}?" if near else f" (there are: {known})"
