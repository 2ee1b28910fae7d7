"""What a person sees at a terminal: nothing cut, nothing folded that is to be copied, nothing taken for markup."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.sale import Shop
from tillbook.cli.display import show_on_terminal

CHARGE = "ch_3Qx7AbCdEfGhIjKl0mNoPqRs"
ADDRESS = "https://checkout.stripe.com/c/pay/cs_test_" + "a1" * 29 + "#" + "fid" * 90


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """A function: the lines that a result fills on a terminal of this width."""

    def lines(result: dict[str, Any], width: int = 100) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        show_on_terminal(result)
        return capsys.readouterr().out.splitlines()

    return lines


def test_a_chain_reads_well_at_a_hundred_columns(shop: Shop, shown: Any) -> None:
    """Each id stands unbroken on one line with its status, and the entries stand below their fact."""
    payment = shop.finished()
    chain = shop.run("show_payment", "INV-1001").json
    lines = shown(chain)
    assert max(map(len, lines)) <= 100
    for link in chain["chain"]:
        if link["what"] != "entry":
            head = f"{link['what']} {link['id']} "
            assert [line.rstrip().endswith(link["status"]) for line in lines if line.startswith(head)] == [True], head
    fact = next(number for number, line in enumerate(lines) if line.startswith("fact PaymentSucceeded"))
    assert lines[fact + 1].split()[-1] == payment
    assert [" ".join(line.split()) for line in lines[fact + 2 : fact + 4]] == [
        "Dr Stripe Clearing 60.00 USD",
        "Cr Receivable 60.00 USD",
    ]


@pytest.mark.parametrize("width", [80, 100, 120])
def test_ids_as_long_as_the_real_ones_stay_whole(shown: Any, width: int) -> None:
    """On a narrow terminal the id goes to a line of its own; it is never broken."""
    amount = {"minor": 123456789, "currency": "USD"}
    link = {"what": "mail confirmation", "id": f"confirmation:stripe:{CHARGE}", "status": "waiting", "at": ""}
    lines = shown({"chain": [{**link, "amount": amount, "detail": "the server said: try later"}]}, width)
    assert sum(link["id"] in line for line in lines) == 1
    assert "1234567.89 USD" in lines[1]
    assert max(map(len, lines)) <= width


def test_an_address_can_be_copied(shown: Any) -> None:
    """A long address stands outside of every border, in one piece."""
    lines = shown({"invoice": "INV-1", "url": ADDRESS}, 80)
    assert [line for line in lines if "http" in line] == [f"url: {ADDRESS}"]


def test_words_from_outside_are_never_markup(shown: Any) -> None:
    """What looks like markup is shown as it was written."""
    lines = shown({"customer": "[bold]Ada[/bold] [link=x]", "checks": [{"name": "[red]", "ok": False, "hint": "[/]"}]})
    assert any("[bold]Ada[/bold] [link=x]" in line for line in lines)
    assert any("[red]" in line and "no" in line and "[/]" in line for line in lines)


def test_a_dry_run_shows_debits_and_credits(shop: Shop, shown: Any) -> None:
    """The plan names what would be sent, and the entries have a column for each side."""
    plan = shop.run("create_invoice", shop.order("INV-1001"), "--dry-run").json
    lines = [" ".join(line.replace("│", "|").split()) for line in shown(plan)]
    assert "2. create_invoice INV-1001 at quickbooks" in lines
    assert "| Receivable | INV-1001 | 60.00 USD | |" in lines
    assert "| Revenue | INV-1001 | | 60.00 USD |" in lines
