"""Situations that many tests begin with are made once and put back after that.

A method of Shop that is marked `prepared` keeps what it made of an untouched shop: the vendors' world and the home
folder. The next test of the same worker that asks an untouched shop for the same gets them back, with the requests
that led there. Nothing is kept of a shop that did something before: then the method runs as it is written.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from simulator.server import Photograph
from tillbook.till import open_till

if TYPE_CHECKING:
    from helpers.sale import Shop

Given = ParamSpec("Given")
Made = TypeVar("Made")
OURS = ("TILLBOOK_", "STRIPE_", "PAYPAL_", "QUICKBOOKS_", "SMTP_", "MAIL_", "FORM_")


@dataclass(frozen=True)
class _Kept:
    """What a method made of an untouched shop, and what it returned."""

    home: Path
    world: Photograph
    returned: Any


_kept: dict[str, _Kept] = {}


def prepared(
    method: Callable[Concatenate[Shop, Given], Made],
) -> Callable[Concatenate[Shop, Given], Made]:
    """Let a method of Shop put back what it made before of a shop in the same state."""

    @functools.wraps(method)
    def put_back_or_made(shop: Shop, /, *given: Given.args, **named: Given.kwargs) -> Made:
        before = shop.simulator.photograph()
        if before.requests or before.faults:
            return method(shop, *given, **named)
        name = _name(shop, before, method.__name__, given, named)
        if name not in _kept:
            made = method(shop, *given, **named)
            _kept[name] = _keep(shop, made)
        return _put_back(shop, _kept[name])  # also the first time, so that every test has the same

    return put_back_or_made


def _name(shop: Shop, before: Photograph, *asked: object) -> str:
    """The state before and what is asked of it, as one hash."""
    settings = {name: value for name, value in os.environ.items() if name.startswith(OURS) and name != "TILLBOOK_HOME"}
    files = {str(file.relative_to(shop.home)): file.read_bytes().hex() for file in _files(shop.home)}
    state = json.dumps([before.world, settings, files, repr(asked), shop.simulator.url], sort_keys=True)
    return hashlib.sha256(state.encode()).hexdigest()


def _files(home: Path) -> list[Path]:
    """What a test may have put into its home; the ledger that every shop has from the start is empty."""
    own = (file for file in sorted(home.rglob("*")) if file.is_file())
    return [file for file in own if not file.name.startswith("ledger.db") and file.parent.name != "locks"]


def _keep(shop: Shop, returned: Any) -> _Kept:
    shop.till.close()
    copy = Path(tempfile.mkdtemp(prefix="prepared-", dir=shop.simulator.world.folder.parent))
    shutil.copytree(shop.home, copy, dirs_exist_ok=True)
    return _Kept(copy, shop.simulator.photograph(), returned)


def _put_back(shop: Shop, kept: _Kept) -> Any:
    shop.till.close()
    shutil.rmtree(shop.home)
    shutil.copytree(kept.home, shop.home)
    shop.simulator.restore(kept.world, with_requests=True)
    shop.till = open_till()
    return kept.returned
