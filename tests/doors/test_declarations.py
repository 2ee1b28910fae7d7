"""What each provider's folder declares: it can be read at once, and what others refer to never changes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from helpers.sale import SCRIPTS
from tillbook.kit.errors import Refused
from tillbook.rules.accounts import ClearingAccount
from tillbook.vendors.providers import PROVIDERS, clearing, declared

SDKS = {"stripe", "paypalrestsdk", "requests", "urllib3", "cryptography", "pydantic", "msgspec"}


def test_the_clearing_accounts_have_the_names_that_ledgers_and_books_hold() -> None:
    """D12: another name would be another account: the entries and documents of years would stay on the old one."""
    assert clearing("stripe") == ClearingAccount("Stripe Clearing", "Stripe Clearing")
    assert clearing("paypal") == ClearingAccount("PayPal Clearing", "PayPal")
    assert [clearing(name).in_books("USD") for name in ("stripe", "paypal")] == [
        "Stripe Clearing (USD)",
        "PayPal (USD)",
    ]


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_declaration_is_of_its_own_provider(name: str) -> None:
    """A name that was copied from another folder would lead that provider's money elsewhere."""
    declaration = declared(name)
    assert declaration.name == name
    others = [declared(other) for other in PROVIDERS if other != name]
    assert declaration.title not in [other.title for other in others]
    assert not {*declaration.clearing} & {word for other in others for word in other.clearing}
    ours = {setting.name for setting in declaration.settings}
    assert all(setting.startswith(f"{name.upper()}_") for setting in ours)
    assert any(setting.needed for setting in declaration.settings), "else it is set up on every machine"


def test_a_name_that_is_no_provider_is_answered_with_those_that_are() -> None:
    """Also where a ledger knows a provider that this Tillbook does not have."""
    for ask in (declared, clearing):
        with pytest.raises(Refused, match="'cheque'") as refusal:
            ask("cheque")
        assert all(name in refusal.value.hint for name in PROVIDERS)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_named_in_its_folder_and_in_one_line(name: str) -> None:
    """Elsewhere ask its declaration: whoever adds the next one then touches nothing that is there."""
    released = {"0001_first_sale.sql", "0004_paypal.sql"}  # a migration that was released is never edited
    others = [file for end in ("py", "sql", "html", "txt") for file in SCRIPTS.rglob(f"*.{end}")]
    others = [
        file
        for file in others
        if not {name, "simulator"} & {*file.relative_to(SCRIPTS).parts} and file.name not in released
    ]
    lines = [line for file in others for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line.strip() for line in lines if name in line.lower()] == [f'"{name}": "tillbook.vendors.{name}",']


def test_declarations_are_read_without_any_sdk() -> None:
    """Every script reads all of them before it does anything."""
    script = (
        "import sys\n"
        "from tillbook.vendors.providers import PROVIDERS, declared\n"
        "assert [declared(name).title for name in PROVIDERS]\n"
        f"assert not {SDKS} & set(sys.modules), set(sys.modules)\n"
        "assert 'tillbook.kit.money' not in sys.modules\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
