"""The parts of a submitted order: its fields, its totals, and what a corrected one changes."""
