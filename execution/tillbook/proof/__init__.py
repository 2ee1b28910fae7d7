"""Processor, ledger and books agree, or a typed list says where they do not."""
