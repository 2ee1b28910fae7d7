"""One sale, from a form to the books. No script is imported here."""
