"""The referee of the tests under test: with schemas of our own, what it lets pass and what it tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers.running import referee

# A vendor that knows two states, and writes down what it is asked.
SCHEMA = """
from pathlib import Path

def check_request(method, path, form):
    return []

def check_object(found):
    with (Path(__file__).parent / "asked").open("a") as asked:
        asked.write(f"{found}\\n")
    return [] if found["status"] in ("open", "paid") else [f"has no status {found['status']}"]
"""


@pytest.fixture
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of schemas for one vendor, and one of recorded lines beside it."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "stripe_contract.py").write_text(SCHEMA)
    monkeypatch.setenv("TILLBOOK_CONTRACTS", str(folder))
    (tmp_path / "wire").mkdir()
    return folder


def _judged(contracts: Path, *answers: dict[str, object], vendor: str = "stripe") -> referee.Verdict:
    """The verdict over one read of each object."""
    read = {"vendor": vendor, "method": "GET", "path": "/v1/pages/page_1", "query": "", "status": 200}
    lines = [{**read, "answer": json.dumps(one)} for one in answers]
    wire = contracts.parent / "wire"
    (wire / "1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return referee.judge(wire)


def _asked(contracts: Path) -> int:
    return len((contracts / "asked").read_text().splitlines())


def test_what_a_schema_refuses_is_told_once_with_its_number(contracts: Path) -> None:
    """Two wrong answers of a kind are one problem, counted; the right one between them is none."""
    verdict = _judged(contracts, {"status": "gone"}, {"status": "open"}, {"status": "gone", "amount": 1})
    assert verdict.problems == ("2 x Stripe GET /v1/pages/* answers has no status gone",)
    assert (verdict.requests, verdict.answers) == (3, 3)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pi_0123456789abcdef01234567", "pi_f0123456789abcdef0123456"),
        ("op4jzzk7q2xwdh3mc5a", "opq4jzzk7q2xwdh3mc5"),
        ("8MC585209K746392H", "1AB23456CD789012E"),
        ("2026-12-02T07:13:25Z", "2027-01-30T23:59:59Z"),
        (1795000000, 1801234567),
        ("INV-12", "INV-21"),
    ],
)
def test_what_differs_by_chance_is_judged_once(contracts: Path, one: object, other: object) -> None:
    """Ids, seconds and times stand for each other; all of them count as checked."""
    verdict = _judged(contracts, {"status": "open", "made": one}, {"status": "open", "made": other})
    assert (verdict.answers, verdict.problems, _asked(contracts)) == (2, (), 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("open", "paid"),
        (5000, 7000),
        ("pi_0123456789abcdef01234567", "ch_0123456789abcdef01234567"),
        ("pi_0123456789abcdef01234567", "pi_0123456789abcdef0123456"),
        ("2026-12-02T07:13:25Z", "2026-13-02T07:13:25Z"),
        ("INV-12", "INV-121"),
    ],
)
def test_what_differs_in_form_is_judged_each(contracts: Path, one: object, other: object) -> None:
    """Another kind, length or value is another answer."""
    _judged(contracts, {"status": "open", "made": one}, {"status": "open", "made": other})
    assert _asked(contracts) == 2


def test_a_vendor_without_a_judge_is_a_problem(contracts: Path) -> None:
    """What nobody can judge does not pass."""
    verdict = _judged(contracts, {"status": "open"}, vendor="bank")
    assert verdict.problems == ("1 x exchange with a vendor that has no judge",)


def test_without_schemas_it_says_so(contracts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No schemas at all is a sentence for a user's clone; a folder that is not there is a problem."""
    monkeypatch.setenv("TILLBOOK_CONTRACTS", "")
    verdict = _judged(contracts, {"status": "gone"})
    assert (verdict.problems, verdict.sentence) == ((), "vendor schemas not present: 1 exchanges were not checked")
    monkeypatch.setenv("TILLBOOK_CONTRACTS", str(contracts / "nowhere"))
    assert len(_judged(contracts, {"status": "open"}).problems) == 1
