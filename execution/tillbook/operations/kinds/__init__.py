"""The kinds of operations: one file each, and nothing about a kind anywhere else.

`base.py` says what a kind must have, `quickbooks.py` what is common to those that the books carry out, and
`registry.py` lists them all. A door takes the kinds that it carries out and adds how it does so (`handlers.py`).
"""
