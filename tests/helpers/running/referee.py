"""The vendors' own schemas over everything that went over the wire while the tests ran.

`TILLBOOK_CONTRACTS` names a folder of validators (`stripe_contract`, `paypal_contract`, `quickbooks_contract`). Unset
means that the run says so and checks nothing: a user's clone has no schemas. A folder that is not there is an error,
never a skip. Run as a program, `referee.py VENDOR FILE...`, it judges the lines of one vendor.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Check = Callable[..., list[str]]

SPOILT = "spoilt.txt"
# Fields that the checked schema does not know, each with the reason why they are right all the same.
NEWER_THAN_SCHEMA: dict[str, str] = {}
# Issues that the checked schema does not list for a call, each with the reason why they are right all the same.
NEWER_ISSUES = {
    "CURRENCY_NOT_SUPPORTED": "sellers met it when they created orders (woocommerce-paypal-payments#1311)",
    "DECIMALS_NOT_SUPPORTED": "sellers met it when they created orders (woocommerce-paypal-payments#202)",
    "DUPLICATE_REQUEST_ID": "PayPal's word for a used PayPal-Request-Id in its older APIs (PayPal-Java-SDK#369)",
}

# What is another in every run: ids, seconds and times. A schema asks for their form only, so one may stand for all.
_WORD = re.compile(r"[\w:-]{10,}|\bINV-[0-9]+\b")
_ID = re.compile(
    r"(?<![0-9A-Za-z])(?:(?=[0-9]*[a-f])[0-9a-f]{13,64}|op[a-z2-7]{17}|(?=[A-Z]*[0-9])[0-9A-Z]{17}|1[6-9][0-9]{8})"
    r"(?![0-9A-Za-z])"
    r"|^(?=.*[a-z])(?=.*[0-9])[\w-]{32}$|(?<=INV-)[0-9]+"
)
_TIME = re.compile(
    r"^20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?![0-9])"
)


@dataclass(frozen=True)
class Verdict:
    """What the referee saw; `sentence` is for people."""

    requests: int
    answers: int
    problems: tuple[str, ...]
    sentence: str


def spoilt(key: str) -> str:
    """A test spoils this object on purpose: answers that show it are no answers of the vendor's. Returns its id."""
    with (Path(os.environ["TILLBOOK_TEST_WIRE"]) / SPOILT).open("a", encoding="utf-8") as file:
        file.write(key + "\n")
    return key


def judge(folder: Path) -> Verdict:
    """Check every recorded line, each vendor in a process of its own; equal problems are told once, counted."""
    files = sorted(map(str, folder.glob("*.jsonl")))
    lines = sum(Path(file).read_bytes().count(b"\n") for file in files)
    contracts = os.environ.get("TILLBOOK_CONTRACTS", "")
    if not contracts:
        return Verdict(0, 0, (), f"vendor schemas not present: {lines} exchanges were not checked")
    if not Path(contracts).is_dir():
        return Verdict(
            0, 0, (f"TILLBOOK_CONTRACTS names {contracts}, which is not a folder",), "no schemas to check with"
        )
    running = [
        subprocess.Popen([sys.executable, __file__, vendor, *files], stdout=subprocess.PIPE, text=True)
        for vendor in _JUDGES
    ]
    checked: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    for one in running:
        words, _ = one.communicate()
        assert one.returncode == 0, "the referee could not judge"
        found = json.loads(words)
        checked.update(found["checked"])
        problems.update(found["problems"])
    if unjudged := lines - checked["exchange"] - _with_made_up_vendors(files):
        problems["exchange with a vendor that has no judge"] = unjudged
    told = tuple(f"{number} x {problem}" for problem, number in problems.most_common())
    sentence = f"{checked['request']} requests and {checked['answer']} answers checked, {len(told)} problems"
    return Verdict(checked["request"], checked["answer"], told, sentence)


def _with_made_up_vendors(files: list[str]) -> int:
    """Exchanges with the providers that only the tests have: nobody published a schema of theirs."""
    from helpers.providers import MORE

    marks = [f'"vendor": "{name}"'.encode() for name in MORE]
    return sum(Path(file).read_bytes().count(mark) for file in files for mark in marks)


def _judge_vendor(vendor: str, files: list[str]) -> Json:
    """How many requests and answers of one vendor were checked, and each problem with its number."""
    sys.path.append(os.environ["TILLBOOK_CONTRACTS"])
    checked: Counter[str] = Counter()
    problems: Counter[str] = Counter()
    mark = f'"vendor": "{vendor}"'
    lines = (json.loads(text) for file in files for text in Path(file).read_text().splitlines() if mark in text)
    spoilt_ids = _spoilt(files)
    for line in lines:
        if line["vendor"] != vendor:
            continue
        checked["exchange"] += 1
        for part, found in _JUDGES[vendor](line):
            if part == "answer" and spoilt_ids and spoilt_ids.search(line["answer"]):
                continue
            checked[part] += 1
            problems.update(problem for problem in found if problem not in NEWER_THAN_SCHEMA)
    return {"checked": checked, "problems": problems}


def _spoilt(files: list[str]) -> re.Pattern[str] | None:
    """What finds an id that a test spoilt, or None."""
    told = [Path(file).parent / SPOILT for file in files[:1]]
    keys = {key for file in told if file.exists() for key in file.read_text(encoding="utf-8").split()}
    return re.compile("|".join(map(re.escape, sorted(keys)))) if keys else None


def _once(check: Check) -> Check:
    """Judge texts once that differ in nothing but made-up ids and times."""
    checked = functools.cache(check)
    return functools.cache(lambda *texts: checked(*map(_alike, texts)))


def _alike(text: str) -> str:
    """The text with one id, one second and one time for all."""
    return _WORD.sub(lambda word: _TIME.sub("2027-01-28T12:00:00", _ID.sub(_ones, word[0])), text)


def _ones(found: re.Match[str]) -> str:
    return "1" * len(found[0])


def _stripe(line: Json) -> Iterator[tuple[str, list[str]]]:
    form = line["body"] if line["method"] == "POST" else line["query"]
    place = f"Stripe {line['method']} {_shape(line['path'])}"
    yield "request", _stripe_request(line["method"], line["path"], form, place)
    answer = _parsed(line["answer"])
    if answer is not None and line["status"] == 200:
        yield "answer", [f"{place} answers {problem}" for problem in _stripe_objects(answer)]


def _stripe_objects(answer: Json) -> Iterable[str]:
    if answer.get("object") == "list":
        for item in answer["data"]:
            yield from _stripe_object(json.dumps(item))
    else:
        yield from _stripe_object(json.dumps(answer))


@_once
def _stripe_request(method: str, path: str, form: str, place: str) -> list[str]:
    contract = importlib.import_module("stripe_contract")
    return [f"{place} sends {problem}" for problem in contract.check_request(method, path, form)]


@_once
def _stripe_object(text: str) -> list[str]:
    contract = importlib.import_module("stripe_contract")
    found: list[str] = contract.check_object(json.loads(text))
    return found


def _paypal(line: Json) -> Iterator[tuple[str, list[str]]]:
    if line["path"].startswith(_NOT_IN_PAYPALS_SCHEMA):
        return
    place = f"PayPal {line['method']} {_shape(line['path'])}"
    status = line["status"]
    # A body that PayPal refused for its form was meant to be wrong.
    if status not in (400, 415) and line["method"] != "GET":
        yield "request", _paypal_request(line["method"], line["path"], line["body"], place)
    # 401 and 429 come from the door before the API: no document of an API has them as they are.
    if status is not None and status not in (401, 429) and not (line["fault"] and status >= 500):
        yield "answer", _paypal_answer(line["method"], line["path"], str(status), line["answer"], place)


@_once
def _paypal_request(method: str, path: str, text: str, place: str) -> list[str]:
    contract = importlib.import_module("paypal_contract")
    body = json.loads(text) if text.strip() else None
    return [f"{place} sends {problem}" for problem in contract.check_request(method, path, body)]


@_once
def _paypal_answer(method: str, path: str, status: str, text: str, place: str) -> list[str]:
    contract = importlib.import_module("paypal_contract")
    answer = json.loads(text) if text.strip() else None
    if isinstance(answer, dict) and any(one.get("issue") in NEWER_ISSUES for one in answer.get("details", ())):
        del answer["details"]
    return [
        f"{place} answers {status} {problem}" for problem in contract.check_response(method, path, int(status), answer)
    ]


def _quickbooks(line: Json) -> Iterator[tuple[str, list[str]]]:
    place = f"QuickBooks {line['method']} {_shape(line['path'])}"
    body, answer = _parsed(line["body"]), _parsed(line["answer"])
    entity = line["path"].rsplit("/", 1)[-1]
    name = next((kind for kind in _ENTITIES if kind.lower() == entity), "")
    if name and line["method"] == "POST" and body is not None:
        yield "request", [f"{place} sends {problem}" for problem in _entity(name, json.dumps(body))]
    if answer is not None and line["status"] == 200:
        for kind, item in _entities(answer):
            yield "answer", [f"{place} answers {problem}" for problem in _entity(kind, json.dumps(item))]


def _entities(answer: Json) -> Iterator[tuple[str, Json]]:
    for holder in (answer, answer.get("QueryResponse", {})):
        for kind in _ENTITIES:
            found = holder.get(kind)
            yield from ((kind, item) for item in (found if isinstance(found, list) else [found] if found else []))


@_once
def _entity(kind: str, text: str) -> list[str]:
    contract = importlib.import_module("quickbooks_contract")
    found: list[str] = contract.check_entity(kind, json.loads(text))
    return found


def _parsed(text: str) -> Json | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _shape(path: str) -> str:
    """The path without ids, so that equal problems are counted together."""
    return "/".join("*" if any(c.isdigit() for c in part[2:]) else part for part in path.split("/"))


_ENTITIES = (
    "Account",
    "CompanyInfo",
    "Customer",
    "Deposit",
    "Invoice",
    "Item",
    "Payment",
    "Preferences",
    "Purchase",
    "RefundReceipt",
    "SalesReceipt",
    "TaxCode",
    "Vendor",
)
_NOT_IN_PAYPALS_SCHEMA = ("/v1/oauth2/", "/v1/notifications/certs/")
_JUDGES = {"stripe": _stripe, "paypal": _paypal, "quickbooks": _quickbooks}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(_judge_vendor(sys.argv[1], sys.argv[2:])))
