"""Create, update, delete and void: the same road for every entity.

Whatever is refused leaves the company file as it was: effects are taken back and put again.
"""

from __future__ import annotations

from simulator.quickbooks import faults
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.company.effects import Effects
from simulator.quickbooks.entities.kinds import Kind
from simulator.quickbooks.entities.payments import show_settlement
from simulator.quickbooks.entities.transaction import check_head, set_number
from simulator.quickbooks.exact import normal
from simulator.world import Json

_LONGEST_NOTE = 4000
_SETTINGS = ("Preferences", "CompanyInfo")


def read(company: Company, kind: Kind, key: str) -> Json:
    """The entity. Raises Fault 610 when there is none."""
    entity = company.find(kind.name, key)
    if entity is None:
        raise faults.not_found()
    return entity


def create(company: Company, kind: Kind, body: Json, *, allow_duplicate: bool = False) -> Json:
    """Store a new entity and make its effects real. Returns it as QuickBooks shows it."""
    if kind.compute is None or "create" not in kind.operations:
        raise faults.unsupported("create")
    _check_fields(kind, body)
    read_only = kind.read_only | {"Id", "SyncToken", "sparse"}
    entity = {name: value for name, value in normal(body).items() if name not in read_only}
    if kind.is_transaction:
        check_head(company, entity)
        company.check_open(entity["TxnDate"])
        set_number(company, kind.name, entity, None, allow_duplicate=allow_duplicate)
    effects = kind.compute(company, entity, None)
    stored = company.insert(kind.name, entity)
    return _finish(company, kind, stored, effects, before=Effects())


def update(company: Company, kind: Kind, body: Json, *, allow_duplicate: bool = False) -> Json:
    """Change an entity: sparse keeps what is not sent, a full update clears it.

    Raises Fault 610 (no such entity), 5010 (an old SyncToken) and whatever its kind refuses.
    """
    if kind.compute is None or "update" not in kind.operations:
        raise faults.unsupported("update")
    _check_fields(kind, body)
    old = _current(company, kind, body)
    entity = _merged(kind, old, body)
    if kind.is_transaction:
        _check_changeable(company, kind, old)
        check_head(company, entity)
        company.check_open(entity["TxnDate"])
        set_number(company, kind.name, entity, old, allow_duplicate=allow_duplicate)
    key = f"{kind.name}/{old['Id']}"
    before = company.take_back(key) if kind.is_transaction else Effects()
    try:
        effects = kind.compute(company, entity, old)
    except faults.Fault:
        if kind.is_transaction:
            company.apply(key, before, old["TxnDate"])
        raise
    stored = company.touch(kind.name, entity)
    return _finish(company, kind, stored, effects if kind.is_transaction else Effects(), before)


def delete(company: Company, kind: Kind, body: Json) -> Json:
    """Remove a transaction and its effects. Returns `{"Id", "status": "Deleted", "domain"}`."""
    if "delete" not in kind.operations:
        raise faults.unsupported("delete")
    old = _current(company, kind, body)
    if kind.name == "Transfer" and "Amount" not in body:
        raise faults.missing("Amount")  # a transfer is deleted with the whole object
    _check_changeable(company, kind, old)
    _check_unsettled(company, kind, old)
    before = company.take_back(f"{kind.name}/{old['Id']}")
    company.remove(kind.name, old)
    _show_targets(company, before, Effects())
    return {"Id": old["Id"], "domain": "QBO", "status": "Deleted"}


def void(company: Company, kind: Kind, body: Json) -> Json:
    """Set every amount of a transaction to zero and take its effects back."""
    if "void" not in kind.operations:
        raise faults.unsupported("void")
    old = _current(company, kind, body)
    _check_changeable(company, kind, old)
    _check_unsettled(company, kind, old)
    before = company.take_back(f"{kind.name}/{old['Id']}")
    stored = company.touch(kind.name, _voided(old))
    return _finish(company, kind, stored, Effects(), before)


def send(company: Company, kind: Kind, key: str, address: str) -> Json:
    """Mark a sales form as mailed by QuickBooks. The simulator mails nothing by itself."""
    entity = dict(read(company, kind, key))
    if address:
        entity["BillEmail"] = {"Address": address}
    if "BillEmail" not in entity:
        raise faults.missing("BillEmail")
    entity["EmailStatus"] = "EmailSent"
    entity["DeliveryInfo"] = {"DeliveryType": "Email", "DeliveryTime": company.now_text()}
    return company.touch(kind.name, entity)


# -- the steps -------------------------------------------------------------------------------------


def _check_fields(kind: Kind, body: Json) -> None:
    for name in body:
        if name not in kind.fields:
            raise faults.unknown_property(name)


def _current(company: Company, kind: Kind, body: Json) -> Json:
    """The stored entity that a change is about. The settings of a company need no Id."""
    key = str(body.get("Id") or ("1" if kind.name in _SETTINGS else ""))
    if not key:
        raise faults.missing("Id")
    entity = read(company, kind, key)
    if body.get("SyncToken") in (None, ""):
        raise faults.missing("SyncToken")
    if str(body["SyncToken"]) != entity["SyncToken"]:
        raise faults.stale()
    return entity


def _merged(kind: Kind, old: Json, body: Json) -> Json:
    if kind.name == "Preferences":
        return _merged_preferences(old, body)
    sent = {name: value for name, value in normal(body).items() if name not in kind.read_only}
    kept = {name: old[name] for name in kind.read_only | {"Id", "SyncToken"} if name in old}
    if not body.get("sparse") or str(body["sparse"]).lower() == "false":
        return {**sent, **kept, "sparse": False}
    cleared = {name for name, value in body.items() if value in (None, "")} - kind.read_only
    merged = {name: value for name, value in old.items() if name not in cleared}
    return {**merged, **sent, **kept, "sparse": False}


def _merged_preferences(old: Json, body: Json) -> Json:
    """Each group of settings is merged by itself. An empty text clears a setting."""
    groups = {name: group for name, group in body.items() if name.endswith("Prefs") and isinstance(group, dict)}
    changed = {name: normal({**old.get(name, {}), **group}) for name, group in groups.items()}
    return {**old, **changed}


def _check_changeable(company: Company, kind: Kind, old: Json) -> None:
    company.check_open(old["TxnDate"])
    if kind.name in ("Payment", "SalesReceipt") and company.settlements(f"{kind.name}/{old['Id']}"):
        raise faults.deposited()


def _check_unsettled(company: Company, kind: Kind, old: Json) -> None:
    if company.settlements(f"{kind.name}/{old['Id']}"):
        raise faults.business(f"This {kind.name} has transactions applied to it: undo those first", "LinkedTxn")


def _finish(company: Company, kind: Kind, stored: Json, effects: Effects, before: Effects) -> Json:
    """Make effects real, then let every transaction that is settled by them show it."""
    key = f"{kind.name}/{stored['Id']}"
    if kind.is_transaction or effects.postings:
        company.apply(key, effects, stored.get("TxnDate", company.today()))
    _show_targets(company, before, effects)
    if kind.name in ("Invoice", "CreditMemo"):
        show_settlement(company, kind.name, stored["Id"], changed=False)
    return read(company, kind, stored["Id"])


def _show_targets(company: Company, before: Effects, after: Effects) -> None:
    was = {one.target: one.amount for one in before.applied}
    now = {one.target: one.amount for one in after.applied}
    for target in dict.fromkeys([*was, *now]):
        name, _, key = target.partition("/")
        show_settlement(company, name, key, changed=was.get(target) != now.get(target))


def _voided(old: Json) -> Json:
    note = f"Voided - {old['PrivateNote']}" if "PrivateNote" in old else "Voided"
    entity = {**old, "PrivateNote": note[:_LONGEST_NOTE]}
    for name in ("TotalAmt", "HomeTotalAmt", "Balance", "HomeBalance", "UnappliedAmt"):
        if name in entity:
            entity[name] = "0"
    if "TxnTaxDetail" in entity:
        entity["TxnTaxDetail"] = {"TotalTax": "0"}
    entity["Line"] = [_voided_line(line) for line in old.get("Line", []) if not line.get("LinkedTxn")]
    return entity


def _voided_line(line: Json) -> Json:
    changed = {**line, "Amount": "0"}
    detail = line.get("SalesItemLineDetail")
    if detail is not None:
        changed["SalesItemLineDetail"] = {**detail, **{name: "0" for name in ("Qty", "UnitPrice") if name in detail}}
    return changed
