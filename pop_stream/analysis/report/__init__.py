"""What was played, counted in one pass: by whom it was paid for, where, when, and what is odd."""
