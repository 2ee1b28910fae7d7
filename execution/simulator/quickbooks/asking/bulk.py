"""Several things in one request: batches, and Change Data Capture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from simulator.quickbooks import faults
from simulator.quickbooks.asking.selection import answer, instant
from simulator.quickbooks.company.company import Company
from simulator.quickbooks.entities import engine
from simulator.quickbooks.entities.kinds import BY_PATH, KINDS
from simulator.world import Json

MOST_BATCH_ITEMS = 30
MOST_CHANGES = 1000
_LOOK_BACK = timedelta(days=30)


def batch(company: Company, body: Json) -> Json:
    """Carry out up to 30 operations, each by itself: `{"BatchItemResponse": [{"bId", entity or Fault}]}`."""
    items = body.get("BatchItemRequest")
    if not isinstance(items, list):
        raise faults.missing("BatchItemRequest")
    if len(items) > MOST_BATCH_ITEMS:
        raise faults.Fault("1040", f"A batch holds at most {MOST_BATCH_ITEMS} operations")
    return {"BatchItemResponse": [_batch_item(company, item) for item in items]}


def _batch_item(company: Company, item: Json) -> Json:
    identity = {"bId": str(item.get("bId", ""))}
    try:
        if "Query" in item:
            return {"QueryResponse": answer(company, str(item["Query"])), **identity}
        return {**_operate(company, item), **identity}
    except faults.Fault as fault:
        return {"Fault": fault.body(), **identity}


def _operate(company: Company, item: Json) -> Json:
    name = next((key for key in item if key in KINDS), None)
    if name is None or not isinstance(item[name], dict):
        raise faults.missing("BatchItemRequest entity")
    kind, body, operation = KINDS[name], item[name], item.get("operation")
    if operation == "create":
        return {name: engine.create(company, kind, body)}
    if operation == "delete":
        return {name: engine.delete(company, kind, body)}
    if operation == "update":
        change = engine.void if item.get("optionsData") == "void" else engine.update
        return {name: change(company, kind, body)}
    raise faults.unsupported(str(operation))


def changes(company: Company, entities: str, since: str) -> Json:
    """What changed since a time, deletions included: at most 1,000 objects, without a word about the rest."""
    start = instant(since.replace(" ", "+"))  # a plus sign that was not escaped in the address
    if start < datetime.fromtimestamp(company.world.now(), UTC) - _LOOK_BACK:
        raise faults.business("changedSince lies more than 30 days back", "changedSince")
    answers: list[Json] = []
    left = MOST_CHANGES
    for name in entities.split(","):
        kind = BY_PATH.get(name.strip().lower())
        if kind is None:
            raise faults.query_property(f"Entity {name} has no change data")
        found = _changed(company, kind.name, start)[:left]
        left -= len(found)
        answers.append({kind.name: found, "startPosition": 1, "maxResults": len(found)} if found else {})
    return {"CDCResponse": [{"QueryResponse": answers}]}


def _changed(company: Company, name: str, start: datetime) -> list[Json]:
    gone = [one["entity"] for one in company.world.all("quickbooks.deleted") if one["kind"] == name]
    both = [*company.all(name), *gone]
    return [one for one in both if datetime.fromisoformat(one["MetaData"]["LastUpdatedTime"]) >= start]
