"""Settings as a test wants them: those of a vendor by their names in lower case, the others by their fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tillbook.kit import settings as room
from tillbook.kit.settings import Settings
from tillbook.vendors.providers import declared_settings


def loaded() -> Settings:
    """The settings of this environment, with those of every provider."""
    return room.load(declared_settings())


def changed(settings: Settings, **changes: Any) -> Settings:
    """The same settings but for these: `stripe_api_base="..."`, `mode="test"`."""
    known = {setting.name.lower(): setting for declared in settings.declared.values() for setting in declared}
    values = {known[name]: changes.pop(name) for name in [*changes] if name in known}
    return replace(settings, values={**settings.values, **values}, **changes)


def bare(**known: Any) -> Settings:
    """Settings of simulator mode with nothing in them but what is given."""
    declared = declared_settings()
    fields = dict.fromkeys(Settings.__dataclass_fields__, "")
    values = {setting: "" for settings in declared.values() for setting in settings}
    empty: dict[str, Any] = {**fields, "mode": "simulator", "timeout_seconds": 5.0}
    return changed(Settings(**{**empty, "declared": declared, "values": values}), **known)
