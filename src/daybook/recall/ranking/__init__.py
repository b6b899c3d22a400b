"""From a question and candidates to an order, with named reasons."""
