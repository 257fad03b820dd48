"""What arrives at the shop API, made into checked values; every fault is named with its field."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, TypeVar

from aiohttp import web
from pydantic import BaseModel, Extra, ValidationError

from bot.errors import BotError, ReportRefused

# Whoever sends nothing but faults is told the first of them.
MAX_FAULTS = 50
NO_FIELD = "(body)"

SomeModel = TypeVar("SomeModel", bound="Model")


class Model(BaseModel):
    """A part of the API, in its code and in its document: what is not in it is refused."""

    EXAMPLE: ClassVar[dict[str, Any] | None] = None

    class Config:
        extra = Extra.forbid
        frozen = True

        @staticmethod
        def schema_extra(schema: dict[str, Any], model: type[Model]) -> None:
            """What pydantic leaves out of a schema: what may be null, and the example."""
            for name, field in model.__fields__.items():
                described = schema["properties"][name]
                described.pop("title", None)
                if field.allow_none:
                    schema["properties"][name] = _or_null(described)
            schema.pop("title", None)
            if model.EXAMPLE is not None:
                schema["examples"] = [model.EXAMPLE]


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema or "allOf" in schema:
        described = {"description": schema["description"]} if "description" in schema else {}
        ref = schema.get("$ref") or schema["allOf"][0]["$ref"]
        return {"anyOf": [{"$ref": ref}, {"type": "null"}], **described}
    return {**schema, "type": [schema["type"], "null"]}


class Answer(Model):
    """What the API answers: every field is always there, some of them null."""

    class Config(Model.Config):
        @staticmethod
        def schema_extra(schema: dict[str, Any], model: type[Model]) -> None:
            """As for every model; and all fields are promised."""
            Model.Config.schema_extra(schema, model)
            schema["required"] = list(model.__fields__)


class WrongContentType(BotError):
    """A body that does not say that it is JSON."""

    code = "unsupported_media_type"

    def __init__(self) -> None:
        super().__init__("Send JSON, with the header Content-Type: application/json.")


class NotJson(BotError):
    """A body that is no JSON at all."""

    code = "bad_request"


class NotFound(BotError):
    """There is nothing under this name."""

    code = "not_found"


async def read_body(request: web.Request, model: type[SomeModel]) -> SomeModel:
    """The request's body as the model has it. Raises WrongContentType, NotJson, or ReportRefused with every fault."""
    if request.content_type != "application/json":
        raise WrongContentType
    return _parsed(model, _json(await request.read()))


def read_query(request: web.Request, model: type[SomeModel]) -> SomeModel:
    """What stands behind the question mark; a number is written in digits."""
    names = list(request.query)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ReportRefused((name[:200], "is there twice") for name in twice[:MAX_FAULTS])
    return _parsed(model, {name: int(v) if _is_digits(v) else v for name, v in request.query.items()})


def _is_digits(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 20


def _json(body: bytes) -> Any:
    def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = [name for name in found if names.count(name) > 1]
            raise ReportRefused((name[:200], "is there twice") for name in twice[:MAX_FAULTS])
        return found

    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=without_repetition)
    except (ValueError, RecursionError) as error:
        raise NotJson("This is not JSON in UTF-8. Send one JSON object.") from error


def _parsed(model: type[SomeModel], content: Any) -> SomeModel:
    if not isinstance(content, Mapping):
        raise NotJson("Send one JSON object.")
    try:
        return model.parse_obj(content)
    except ValidationError as error:
        raise ReportRefused(_faults(error, model)) from None


def _faults(error: ValidationError, model: type[Model]) -> list[tuple[str, str]]:
    return [(_path(fault["loc"]), _in_words(dict(fault), model)) for fault in error.errors()[:MAX_FAULTS]]


def _path(loc: tuple[str | int, ...]) -> str:
    """Where a fault is: lines[0].quantity."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc if step != "__root__")
    return path.lstrip(".")[:200] or NO_FIELD


def _in_words(fault: dict[str, Any], model: type[Model]) -> str:
    context = fault.get("ctx", {})
    match fault["type"].split(".", 1)[-1]:
        case "missing":
            return "is missing"
        case "extra":
            return f"is not known{_suggestion(fault['loc'], model)}"
        case "none.not_allowed":
            return "must not be null"
        case "integer":
            return "must be a whole number"
        case "str":
            return "must be a text"
        case "strictbool" | "bool":
            return "must be true or false"
        case "list":
            return "must be a list"
        case "dict":
            return "must be an object"
        case "enum":
            return f"must be one of {', '.join(str(one.value) for one in context['enum_values'])}"
        case "number.not_ge":
            return f"must be {context['limit_value']} or more"
        case "number.not_le":
            return f"must be {context['limit_value']} or less"
        case "any_str.min_length":
            return "must not be empty"
        case "any_str.max_length":
            return f"must have at most {context['limit_value']} characters"
        case "list.max_items":
            return f"must have at most {context['limit_value']} entries"
        case "str.regex":
            return f"must look like {context['pattern']}"
    return str(fault["msg"])


def _suggestion(loc: tuple[str | int, ...], model: type[Model]) -> str:
    for step in loc[:-1]:
        field = model.__fields__.get(str(step))
        if field is not None and isinstance(field.type_, type) and issubclass(field.type_, Model):
            model = field.type_
    near = difflib.get_close_matches(str(loc[-1])[:100], list(model.__fields__), n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(model.__fields__)}"


def words_of(enum: type[Enum]) -> str:
    """An enumeration's values, for a description."""
    return ", ".join(str(one.value) for one in enum)
