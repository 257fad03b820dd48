"""The kinds of values in what the desk sends: bounded, and never more than is needed."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ConstrainedInt, ConstrainedStr
from pydantic.validators import strict_str_validator

from bot.core.agents import PASSWORD_CHARACTERS
from bot.gateway.api_values import Validators

_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Typed(ConstrainedStr):
    """What somebody typed, of any shape: what it is about is checked where it is used."""

    max_length = 5_000

    @classmethod
    def __get_validators__(cls) -> Validators:
        yield strict_str_validator
        yield cls.validate


class Short(Typed):
    """A name, a label, a few words."""

    max_length = 300


class Password(Typed):
    """A password to come; what it has to be is told in words elsewhere."""

    max_length = PASSWORD_CHARACTERS[1] * 5


class ClientId(ConstrainedStr):
    """What the desk itself calls something, so that sending it again is sending it once: a UUID."""

    @classmethod
    def __get_validators__(cls) -> Validators:
        yield strict_str_validator
        yield cls._is_uuid

    @classmethod
    def _is_uuid(cls, value: str) -> Any:
        if not _UUID.fullmatch(value):
            raise ValueError("must be a UUID, new for each message")
        return value.lower()


class Seq(ConstrainedInt):
    """A place in a conversation."""

    strict = True
    ge, le = 0, 2**31 - 1


class Points(ConstrainedInt):
    """Points to give."""

    strict = True
    ge, le = 1, 1_000_000


class Capacity(ConstrainedInt):
    """How many conversations somebody takes at once."""

    strict = True
    ge, le = 1, 50
