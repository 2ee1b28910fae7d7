"""Two customers made one, as a person does it in QuickBooks: there is no call of the API for it."""

from __future__ import annotations

from dataclasses import replace

from simulator.quickbooks.company.company import TRANSACTIONS, Company
from simulator.quickbooks.entities.lists import customer as checked
from simulator.quickbooks.entities.transaction import reference
from simulator.world import Json


def merge_customers(company: Company, kept: Json, gone: Json) -> None:
    """Move every document of one customer to another of its currency, and leave the first inactive."""
    old, new = f"Customer/{gone['Id']}", f"Customer/{kept['Id']}"
    for kind in sorted(TRANSACTIONS):
        for one in company.all(kind):
            if one.get("CustomerRef", {}).get("value") != gone["Id"]:
                continue
            key = f"{kind}/{one['Id']}"
            effects = company.take_back(key)
            effects.postings = [replace(post, name=new) if post.name == old else post for post in effects.postings]
            company.apply(key, effects, one["TxnDate"])
            company.touch(kind, {**one, "CustomerRef": reference(kept, "DisplayName")})
    left = company.find("Customer", gone["Id"])
    assert left is not None, "a merged customer stays as a record"
    retired = {**left, "Active": False}
    checked(company, retired, left)
    company.touch("Customer", retired)
