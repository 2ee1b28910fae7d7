"""Reports: the trial balance, on accrual basis, in home currency, as of a day."""

from __future__ import annotations

from decimal import Decimal

from simulator.quickbooks import faults
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.exact import ZERO
from simulator.world import Json


def trial_balance(company: Company, end_date: str, basis: str) -> Json:
    """Debit and credit balances of every account that has one. The last row holds the equal totals."""
    if basis != "Accrual":
        raise faults.unsupported(f"TrialBalance on {basis} basis")
    balances = _balances(company, end_date)
    rows: list[Json] = []
    debits = credits = ZERO
    for account in company.all("Account"):
        balance = balances.get(account["Id"], ZERO)
        if balance:
            rows.append({"ColData": [{"value": account["Name"], "id": account["Id"]}, *_sides(balance)]})
            debits, credits = debits + max(balance, ZERO), credits + max(-balance, ZERO)
    totals = {"ColData": [{"value": "TOTAL"}, {"value": str(debits)}, {"value": str(credits)}]}
    rows.append({"Summary": totals, "type": "Section", "group": "GrandTotal"})
    return {"Header": _header(company, end_date), "Columns": {"Column": _columns()}, "Rows": {"Row": rows}}


def _balances(company: Company, end_date: str) -> dict[str, Decimal]:
    balances: dict[str, Decimal] = {}
    for stored in company.world.all("quickbooks.effects"):
        if stored["date"] <= end_date:
            for account, _, home, _ in stored["postings"]:
                balances[account] = balances.get(account, ZERO) + Decimal(home)
    return balances


def _sides(balance: Decimal) -> list[Json]:
    amount = {"value": str(abs(balance))}
    return [amount, {"value": ""}] if balance > 0 else [{"value": ""}, amount]


def _header(company: Company, end_date: str) -> Json:
    return {
        "Time": company.now_text(),
        "ReportName": "TrialBalance",
        "ReportBasis": "Accrual",
        "EndPeriod": end_date,
        "Currency": company.home_currency(),
        "Option": [{"Name": "NoReportData", "Value": "false"}],
    }


def _columns() -> list[Json]:
    titles = (("", "Account"), ("Debit", "Money"), ("Credit", "Money"))
    return [{"ColTitle": title, "ColType": column_type} for title, column_type in titles]
