"""What engines and providers must do. Callers depend on these, never on an engine."""
