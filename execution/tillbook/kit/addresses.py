"""Mail addresses: the one grammar of them. It knows no network: whether a mailbox exists is not asked."""

from __future__ import annotations

import unicodedata


def ascii_address(text: str, *, public: bool = False) -> str:
    """The address as SMTP needs it, a domain of any script in its xn-- form, or empty when it is not one plain address.

    A name, a list, quotes and line breaks are no part of one. With `public` its domain must have a dot.
    """
    import email_validator  # noqa: PLC0415  start-up time: it brings the tables of international names

    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()  # a mail server of one's own may serve localhost or a .test domain
    try:
        read = email_validator.validate_email(
            text, allow_smtputf8=False, check_deliverability=False, globally_deliverable=public, strict=True
        )
    except email_validator.EmailNotValidError:
        return ""
    local, _, domain = text.rpartition("@")
    if domain.isascii():
        return text
    # A full-width letter or dot would be sent as another one: what is not the domain's own form names another domain.
    same = unicodedata.normalize("NFC", domain).lower() == read.domain
    return f"{local}@{read.ascii_domain}" if same else ""
