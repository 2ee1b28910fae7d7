"""Stripe's form encoding: `a[b][0]=c` read into plain values by a table of fields.

A table says which parameters an operation knows. Everything else is refused in Stripe's words, so that a
client that misspells a parameter learns it here and not in production.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from simulator.stripe.wire.errors import StripeError, invalid

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_MOST_METADATA_KEYS = 50
_LARGEST = 2**63 - 1


class Field(Protocol):
    """One known parameter: turns its raw value (text or a nest of dicts) into a plain one."""

    def read(self, raw: Any, param: str) -> Any:
        """The plain value. Raises StripeError as Stripe would answer."""


@dataclass(frozen=True)
class Text:
    """A string. An empty one is refused, except where it unsets a value (`unset`): then it reads as None."""

    choices: tuple[str, ...] = ()
    most: int = 5000
    unset: bool = False

    def read(self, raw: Any, param: str) -> str | None:
        """The text. Raises StripeError for a wrong one."""
        if not isinstance(raw, str):
            raise invalid(f"Invalid string: {raw}", param)
        if raw == "" and self.unset:
            return None
        if raw == "":
            raise invalid(
                f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a "
                f"parameter; however '{param}' cannot be unset. You should remove '{param}' from your request or "
                "supply a non-empty value.",
                param,
                "parameter_invalid_empty",
            )
        if self.choices and raw not in self.choices:
            raise invalid(f"Invalid {param}: must be one of {', '.join(self.choices)}", param)
        if len(raw) > self.most:
            raise invalid(f"Invalid string: must be at most {self.most} characters", param)
        return raw


@dataclass(frozen=True)
class Address:
    """An absolute http or https address."""

    def read(self, raw: Any, param: str) -> str:
        """The address. Raises StripeError for anything else."""
        if not isinstance(raw, str) or not re.match(r"https?://[^\s/?#]+", raw):
            raise invalid("Not a valid URL", param, "url_invalid")
        return raw


@dataclass(frozen=True)
class Whole:
    """An integer between `least` and `most`."""

    least: int = 0
    most: int = _LARGEST

    def read(self, raw: Any, param: str) -> int:
        """The number. Raises StripeError for anything else."""
        if not isinstance(raw, str) or not re.fullmatch(r"-?[0-9]{1,19}", raw):
            raise invalid(f"Invalid integer: {raw}", param, "parameter_invalid_integer")
        value = int(raw)
        if value < self.least:
            message = f"This value must be greater than or equal to {self.least}."
            raise invalid(message, param, "parameter_invalid_integer")
        if value > self.most:
            message = f"This value must be less than or equal to {self.most} (it currently is '{value}')."
            raise invalid(message, param, "parameter_invalid_integer")
        return value


@dataclass(frozen=True)
class Flag:
    """`true` or `false`. `only` refuses what the simulator does not act out."""

    only: bool | None = None

    def read(self, raw: Any, param: str) -> bool:
        """The value. Raises StripeError for anything else."""
        if raw not in ("true", "false"):
            raise invalid(f"Invalid boolean: {raw}", param)
        value = bool(raw == "true")
        if self.only is not None and value is not self.only:
            raise invalid(f"The simulator knows only {param}={str(self.only).lower()}", param)
        return value


@dataclass(frozen=True)
class Metadata:
    """A flat map of text. An empty text (for one key or for all) means: remove it."""

    def read(self, raw: Any, param: str) -> dict[str, str]:
        """The map. One empty key stands for all. Raises StripeError for anything else."""
        if raw == "":
            return {"": ""}
        if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
            raise invalid("Invalid hash", param)
        if len(raw) > _MOST_METADATA_KEYS:
            raise invalid(f"Metadata can have up to {_MOST_METADATA_KEYS} keys.", param)
        for key, value in raw.items():
            if len(key) > 40:
                raise invalid(f"Metadata keys can be at most 40 characters: {key}", f"{param}[{key}]")
            if len(value) > 500:
                raise invalid(
                    f"Metadata values can have up to 500 characters, but you passed in a value that is {len(value)} "
                    "characters.",
                    f"{param}[{key}]",
                )
        return dict(raw)


@dataclass(frozen=True)
class Many:
    """A list, written as `name[0]`, `name[1]` ... or as `name[]`."""

    item: Field
    most: int = 100

    def read(self, raw: Any, param: str) -> list[Any]:
        """The items in their order. Raises StripeError for anything else."""
        if not isinstance(raw, dict) or not all(key.isdigit() for key in raw):
            raise invalid("Invalid array", param)
        if len(raw) > self.most:
            raise invalid(f"Array {param} exceeded maximum {self.most} allowed elements.", param)
        return [self.item.read(raw[key], f"{param}[{key}]") for key in sorted(raw, key=int)]


@dataclass(frozen=True)
class Form:
    """A set of named fields, some of them required."""

    fields: Mapping[str, Field] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    def read(self, raw: Any, param: str = "") -> dict[str, Any]:
        """The values of the parameters that were sent. Raises StripeError as Stripe would answer."""
        if not isinstance(raw, dict):
            raise invalid("Invalid object", param)
        if unknown := [_inside(param, name) for name in raw if name not in self.fields]:
            plural = "s" if len(unknown) > 1 else ""
            message = f"Received unknown parameter{plural}: {', '.join(unknown)}"
            raise invalid(message, unknown[0], "parameter_unknown")
        for name in self.required:
            if name not in raw:
                where = _inside(param, name)
                raise invalid(f"Missing required param: {where}.", where, "parameter_missing")
        return {name: self.fields[name].read(value, _inside(param, name)) for name, value in raw.items()}

    def including(self, fields: Mapping[str, Field], required: tuple[str, ...] = ()) -> Form:
        """This form with more fields."""
        return Form({**self.fields, **fields}, (*self.required, *required))


@dataclass(frozen=True)
class Moment:
    """UTC seconds, or a range of them (`gt`, `gte`, `lt`, `lte`). A plain value reads as a range of one second."""

    def read(self, raw: Any, param: str) -> dict[str, int]:
        """The limits of the range. Raises StripeError for anything else."""
        if isinstance(raw, str):
            value = Whole().read(raw, param)
            return {"gte": value, "lte": value}
        return Form({name: Whole() for name in ("gt", "gte", "lt", "lte")}).read(raw, param)


def parse(encoded: str) -> dict[str, Any]:
    """A form body or query string as nested dicts. Lists stay dicts with numbers as keys."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, errors="strict"):
        match = _NAME.fullmatch(name)
        if match is None:
            raise StripeError(400, f"Invalid parameter name: {name}", param=name)
        keys = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        node = root
        for key in keys[:-1]:
            node = node.setdefault(key or str(len(node)), {})
            if not isinstance(node, dict):
                raise invalid("Invalid object", name)
        node[keys[-1] or str(len(node))] = value
    return root


def merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Metadata after an update: empty values remove their key, an empty whole removes all."""
    if set(new) == {""}:
        return {}
    return {key: value for key, value in {**old, **new}.items() if value != ""}


def with_metadata(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of something new, where metadata is a plain map, also when none was sent."""
    return {**params, "metadata": merged({}, params.get("metadata", {}))}


def _inside(param: str, name: str) -> str:
    return f"{param}[{name}]" if param else name
