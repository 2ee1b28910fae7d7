"""A setting as a vendor's folder declares it. `settings.py` reads it without knowing any vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tillbook.kit.errors import Refused


@dataclass(frozen=True, eq=False, repr=False)
class Setting:
    """One name of the environment, which is also the key of its value in `Settings`.

    `default` is the value of an unset one, and `one_of` are all the values that it may have (empty: any). A vendor is
    set up when each of its `needed` settings has a value. A key that begins with one of `test_forms` is refused in live
    mode, one of `live_forms` in every other. `not_in_live` says why it may not be set in live mode at all. In simulator
    mode an unset one is what the simulator calls by the same name, or the path of `simulated_file` in its folder.
    The setting with the address of the vendor's API has the vendor's own `addresses` by mode: in simulator mode it is
    the path of the simulator that bears the vendor's name.
    """

    name: str
    default: str = ""
    one_of: tuple[str, ...] = ()
    needed: bool = False
    secret: bool = False
    test_forms: tuple[str, ...] = ()
    live_forms: tuple[str, ...] = ()
    not_in_live: str = ""
    simulated_file: str = ""
    addresses: Mapping[str, str] = field(default_factory=dict)

    def mode_of(self, key: str) -> str:
        """The mode that a key is for, by how it begins: `test`, `live`, or empty where that tells nothing."""
        if key.startswith(self.live_forms):
            return "live"
        return "test" if key.startswith(self.test_forms) else ""

    def require(self, value: str, mode: str, *, is_set: bool) -> None:
        """Raise Refused for a value that must not be used in this mode."""
        if mode == "live" and is_set and self.not_in_live:
            raise Refused(f"{self.name} is set: {self.not_in_live}", hint=f"Unset {self.name}.")
        if self.one_of and value not in self.one_of:
            raise Refused(f"{self.name} is {value!r}; expected one of {', '.join(self.one_of)}")
        key_mode = self.mode_of(value)
        if key_mode == "live" and mode != "live":
            raise Refused(
                f"{self.name} is a live key, but TILLBOOK_MODE is {mode}",
                hint=f"Use a test key ({self.test_forms[0]}...), or set TILLBOOK_MODE=live where real money is meant.",
            )
        if key_mode == "test" and mode == "live":
            raise Refused(f"{self.name} is a test key, but TILLBOOK_MODE is live", hint="Use the live key.")


def api_base(name: str, *, test: str, live: str) -> Setting:
    """The setting with the address of a vendor's API, which has one in test mode and one in live mode."""
    reason = "in live mode the vendors' own addresses are used"
    return Setting(name, addresses={"test": test, "live": live}, not_in_live=reason)
