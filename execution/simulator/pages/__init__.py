"""The pages that customers see, whichever vendor shows them: plain HTML forms, no script, nothing from elsewhere."""
