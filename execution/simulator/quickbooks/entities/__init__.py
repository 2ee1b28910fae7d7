"""Every kind of entity: its fields, its rules, and what it does to the books."""
