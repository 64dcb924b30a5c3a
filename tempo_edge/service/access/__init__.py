"""Who may ask the service for what: rights, colleagues and their tokens, budgets, the audit log."""
