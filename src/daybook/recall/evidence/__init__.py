"""From an order to what is shown: budgets, passages, reasons, marks of what is outdated."""
