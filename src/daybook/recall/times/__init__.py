"""Times in questions and messages: dates, holidays, events, histories. Pure."""
