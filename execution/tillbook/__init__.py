"""The workshop behind the counter: one sale from a form to the books. It knows no script."""
