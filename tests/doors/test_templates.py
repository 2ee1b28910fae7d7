"""Letters: what they say, that values stay values, and how a broken template of the user's own is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tillbook.kit.errors import Refused
from tillbook.letters.rendering import Letter, render

KINDS = ("invoice", "confirmation", "owner")
CONTEXT: Mapping[str, object] = {
    "company": "Harbor Lane Studio LLC",
    "customer_name": "Ada Ltd",
    "number": "INV-1001",
    "currency": "USD",
    "lines": [{"description": "Consulting", "quantity": "0.5", "unit_price": "240.00", "amount": "120.00"}],
    "subtotal": "120.00",
    "discount": "6.00",
    "tax": "9.45",
    "total": "123.45",
    "due": "2026-12-31",
    "pay_url": "https://pay.example.com/pay/abc?a=1&b=2",
    "memo": "Thank you\nfor coming back",
    "amount_paid": "123.45",
    "paid_on": "2026-11-23",
    "remaining": "50.00",
    "payment": "pi_123",
}


def letter(kind: str, folder: Path, **changed: object) -> Letter:
    return render(kind, {**CONTEXT, **changed}, overrides=folder)


class _Page(HTMLParser):
    """The elements of a page with their attributes, and what a person reads of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("invoice", "Invoice INV-1001 from Harbor Lane Studio LLC"),
        ("confirmation", "Receipt for INV-1001: 123.45 USD paid"),
        ("owner", "You were paid 123.45 USD (INV-1001)"),
    ],
)
def test_each_kind_has_its_subject(kind: str, subject: str, tmp_path: Path) -> None:
    """The subject names the invoice, and the money where money moved."""
    assert letter(kind, tmp_path).subject == subject


def test_an_invoice_says_all_that_is_to_be_paid_and_where(tmp_path: Path) -> None:
    """Lines, discount, tax, total, due date, memo and the link are in both parts, and one button carries the link."""
    made = letter("invoice", tmp_path)
    page = _Page(made.html)
    for words in (
        "Consulting",
        "0.5",
        "240.00",
        "120.00",
        "6.00",
        "9.45",
        "123.45",
        "USD",
        "2026-12-31",
        "coming back",
    ):
        assert words in made.text
        assert words in page.words
    assert str(CONTEXT["pay_url"]) in made.text.splitlines()
    assert [attributes["href"] for tag, attributes in page.elements if tag == "a"] == [CONTEXT["pay_url"]]


def test_an_invoice_without_a_link_says_how_it_will_come(tmp_path: Path) -> None:
    """No empty button and no dead link: a sentence instead."""
    made = letter("invoice", tmp_path, pay_url="")
    assert "link to pay in a separate message" in made.text
    assert "link to pay in a separate message" in made.html
    assert "<a " not in made.html


@pytest.mark.parametrize("nothing", ["", "0.00", "0"])
def test_figures_that_are_nothing_are_left_out(nothing: str, tmp_path: Path) -> None:
    """Without discount and tax there is one figure: the total. Without a rest the invoice is paid in full."""
    made = letter("invoice", tmp_path, discount=nothing, tax=nothing)
    for words in ("Subtotal", "Discount", "Tax"):
        assert words not in made.text
        assert words not in _Page(made.html).words
    assert "paid in full" in letter("confirmation", tmp_path, remaining=nothing).text
    assert "paid in full" in letter("confirmation", tmp_path, remaining=nothing).html


def test_a_confirmation_is_a_receipt(tmp_path: Path) -> None:
    """Invoice, amount, date and what remains open are in both parts."""
    made = letter("confirmation", tmp_path)
    for words in ("INV-1001", "123.45 USD", "2026-11-23", "50.00 USD of this invoice is still open"):
        assert words in made.text
        assert words in _Page(made.html).words


def test_the_owner_reads_who_what_and_how_much(tmp_path: Path) -> None:
    """Customer, lines, amount, invoice and payment id are in both parts."""
    made = letter("owner", tmp_path)
    for words in ("Ada Ltd", "Consulting", "123.45 USD", "INV-1001", "pi_123"):
        assert words in made.text
        assert words in _Page(made.html).words


@pytest.mark.parametrize("kind", KINDS)
def test_markup_in_a_name_stays_text(kind: str, tmp_path: Path) -> None:
    """A name with markup is escaped in the HTML, and written as it is in the text."""
    name = """O'Brien & "Sons" <b>{{ 7 * 7 }}</b>"""
    lines = [{"description": name, "quantity": "1", "unit_price": "1.00", "amount": "1.00"}]
    made = letter(kind, tmp_path, customer_name=name, lines=lines)
    page = _Page(made.html)
    assert "b" not in {tag for tag, _ in page.elements}
    assert name in page.words
    assert name in made.text


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_part_has_no_entities(kind: str, tmp_path: Path) -> None:
    """Plain text is never escaped for HTML."""
    name = "<'\"&> Ünïcode 日本語 🎉"
    made = letter(kind, tmp_path, customer_name=name, company=name)
    assert name in made.text
    assert not re.search(r"&(#\w+|\w+);", made.text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_html_is_accessible_and_loads_nothing(kind: str, tmp_path: Path) -> None:
    """A language, a title, one heading, marked layout tables, dark colours; no picture, script or remote style."""
    made = letter(kind, tmp_path)
    elements = _Page(made.html).elements
    tags = [tag for tag, _ in elements]
    assert ("html", {"lang": "en", "dir": "ltr"}) in elements
    assert f"<title>{made.subject}</title>" in made.html
    assert tags.count("h1") == 1
    assert not {"img", "script", "link", "iframe", "form"} & set(tags)
    assert "url(" not in made.html
    assert "prefers-color-scheme: dark" in made.html
    # A table is for layout, or has headers of its own.
    layout = [attributes.get("role") for tag, attributes in elements if tag == "table"].count("presentation")
    assert tags.count("table") == layout + 1
    assert all("scope" in attributes for tag, attributes in elements if tag == "th")


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_break_in_a_value_cannot_leave_the_subject(kind: str, tmp_path: Path) -> None:
    """A name that tries to add a header is refused, not cut."""
    with pytest.raises(Refused, match=r"the subject holds the control character U\+000A"):
        letter(kind, tmp_path, company="A\nBcc: eve@example.com", number="1\nBcc: eve@example.com")


def test_the_users_own_templates_come_first(tmp_path: Path) -> None:
    """Each file is replaced on its own: text, HTML, or only the frame of all letters."""
    (tmp_path / "owner.txt").write_text("\ufeffSubject: Money from {{ customer_name }}\r\n{{ amount_paid }}!", "utf-8")
    made = letter("owner", tmp_path)
    assert (made.subject, made.text) == ("Money from Ada Ltd", "123.45!\n")
    assert "You were paid" in made.html
    (tmp_path / "_letter.html").write_text("<p>{% block content %}{% endblock %}</p>")
    assert letter("confirmation", tmp_path).html.startswith("<p>")


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("Subject: a\nfine\n{{ customer }}", 3, "'customer' is undefined"),
        ("Subject: a {{ nobody }}\nfine", 1, "'nobody' is undefined"),
        ("Subject: a\n{% if %}", 2, "Expected an expression"),
        ("Subject: a\n\n\n{{ 1 / 0 }}", 4, "division by zero"),
        ("Hello", 1, "expected 'Subject: '"),
        ("Subject: a\n{{ ''.__class__.__mro__ }}", 2, "unsafe"),
        ("Subject: a\n{% include 'absent.txt' %}", 2, "absent.txt"),
    ],
)
def test_a_broken_template_is_told_with_file_and_line(source: str, line: int, words: str, tmp_path: Path) -> None:
    """The message names the file, the line and the fault; the hint says what to do."""
    file = tmp_path / "invoice.txt"
    file.write_text(source)
    with pytest.raises(Refused) as caught:
        letter("invoice", tmp_path)
    assert f"{file}, line {line}: " in caught.value.message
    assert words in caught.value.message
    assert "delete it" in caught.value.hint


def test_a_broken_html_template_is_told_with_file_and_line(tmp_path: Path) -> None:
    """The same for HTML, also when the fault is in a block of a page that extends another."""
    file = tmp_path / "invoice.html"
    file.write_text('{% extends "_letter.html" %}\n{% block content %}\n{{ nobody }}\n{% endblock %}')
    with pytest.raises(Refused) as caught:
        letter("invoice", tmp_path)
    assert f"{file}, line 3: 'nobody' is undefined" in caught.value.message
    assert "delete it" in caught.value.hint


def test_a_template_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """A file in another encoding is named instead of being guessed at."""
    (tmp_path / "invoice.txt").write_bytes(b"Subject: caf\xe9\n")
    with pytest.raises(Refused, match=r"invoice\.txt"):
        letter("invoice", tmp_path)


def test_a_missing_value_is_refused(tmp_path: Path) -> None:
    """A caller that forgets a key gets its name, never a letter with a hole."""
    with pytest.raises(Refused, match="'total' is undefined"):
        render("invoice", {key: value for key, value in CONTEXT.items() if key != "total"}, overrides=tmp_path)


@pytest.mark.parametrize("kind", ["unknown", "../mail", "/etc/passwd"])
def test_an_unknown_kind_is_refused(kind: str, tmp_path: Path) -> None:
    """A kind is a name in the two folders, not a path."""
    with pytest.raises(Refused, match="template"):
        letter(kind, tmp_path)
