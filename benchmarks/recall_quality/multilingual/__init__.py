"""Small conversations in many languages, written for this check, and questions about them."""
