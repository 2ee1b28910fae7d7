"""Acorn: a small processor that does not exist, written as a stranger would add one.

`declaration`, `adapter`, `calls` and `objects` are what a provider of the product has in its folder. `simulated` plays
the vendor, and `stage` puts both before the conformance suite.
"""
