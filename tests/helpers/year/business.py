"""The year as it is worked through: every step at the till, at night cron, and the customers in between."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from helpers.sale import DECLINED, GOOD, Ran, Shop, control
from helpers.year.bookkeeper import Bookkeeper
from helpers.year.plan import Sale

Json = dict[str, Any]
DAY_SECONDS, HOUR_SECONDS = 86_400, 3600
FINE, REFUSED, FOUND = 0, 3, 7
_A_WEEK, _LONGEST_PAUSE = 7, 4


@dataclass
class Business:
    """The shop in its rough world. `ran` counts the exit codes of each step."""

    shop: Shop
    ran: Counter[tuple[str, int]] = field(default_factory=Counter)
    said: dict[tuple[str, int], str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    paid: dict[str, str] = field(default_factory=dict)
    questioned: dict[str, str] = field(default_factory=dict)
    began: str = ""

    @cached_property
    def bookkeeper(self) -> Bookkeeper:
        """The person who works in QuickBooks by hand."""
        return Bookkeeper(self.shop)

    def work(self, days: list[list[Sale]]) -> None:
        """All days, one after another, with a night after each and a reconciliation once a week."""
        today, reconciled = 0, 0
        self.began = datetime.fromtimestamp(self.shop.simulator.world.now() - DAY_SECONDS, UTC).date().isoformat()
        for sales in days:
            while sales[0].day - today > _LONGEST_PAUSE:
                today += _LONGEST_PAUSE
                self.shop.later(_LONGEST_PAUSE * DAY_SECONDS)
                self.run("run_pending")
            self.shop.later((sales[0].day - today) * DAY_SECONDS)
            today = sales[0].day
            for sale in sales:
                self._sell(sale)
            self._night()
            for sale in sales:
                self._after(sale)
            if today - reconciled >= _A_WEEK:
                self.run("reconcile_payments")
                reconciled = today
                self.bookkeeper.tidy_up()

    def run(self, script: str, *arguments: str) -> Ran:
        """A step, counted by how it ended."""
        ran = self.shop.run(script, *arguments)
        self.ran[script, ran.code] += 1
        self.said.setdefault((script, ran.code), ran.err or ran.out)
        return ran

    def _sell(self, sale: Sale) -> None:
        if sale.way == "written by hand":
            self.bookkeeper.write_invoice(sale)
        elif not self._ordered(sale):
            return
        if sale.way == "at the counter":
            self.bookkeeper.take_cash(sale)
            return
        page = self.run("create_checkout", sale.number, "--provider", sale.provider)
        if page.code != FINE:
            self.refused[sale.number] = page.err
            return
        if sale.way == "later":
            self.run("send_invoice", sale.number)
        if sale.way != "never":
            self._pay(sale, page.json["checkout_id"])

    def _ordered(self, sale: Sale) -> bool:
        file = self.shop.home / "order.json"
        file.write_text(json.dumps(sale.order), encoding="utf-8")
        made = self.run("create_invoice", str(file))
        if made.code != FINE:
            self.refused[sale.number] = made.err
        return made.code == FINE

    def _pay(self, sale: Sale, page: str) -> None:
        if sale.way == "second try":
            self.shop.pay(page, DECLINED)
            if sale.provider == "paypal":  # we capture, so we hear of it, and the customer gets another page
                self.run("run_pending")
                page = self.run("create_checkout", sale.number, "--provider", sale.provider).json["checkout_id"]
        told = self.shop.pay(page, GOOD)
        self.paid[sale.number] = str(told.get("payment_intent") or page)

    def _night(self) -> None:
        self.shop.later(2 * HOUR_SECONDS)
        self.run("run_pending")

    def _after(self, sale: Sale) -> None:
        """What comes of a sale: money that goes back, or a bank that asks."""
        payment = self.paid.get(sale.number)
        if payment is None:
            return
        self.run("show_payment", sale.number)
        if sale.back != "nothing":
            part = ("--amount", _part(sale)) if sale.back == "a part" else ()
            self.run("refund_payment", sale.number, *part)
        elif sale.questioned:
            told = control(self.shop.simulator, "dispute", {"payment": payment, "kind": "dispute"})
            key = str(told.get("dispute_id") or told["id"])
            self.questioned[sale.number] = key
            if sale.questioned != "open":
                control(self.shop.simulator, "dispute_outcome", {"dispute": key, "outcome": sale.questioned})

    def close(self) -> Json:
        """The end of the year: what is late arrives, cron comes twice more, and everything is compared."""
        for _ in range(2):
            self.shop.later(DAY_SECONDS)
            self.run("run_pending")
        self.run("check_setup", "--full")
        found: Json = self.run("reconcile_payments", "--from", self.began).json
        return found


def _part(sale: Sale) -> str:
    return "500" if sale.order["currency"] == "JPY" else "4.50"
