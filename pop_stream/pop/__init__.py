"""The rules: what an event is, what became of an attempt, what follows. No I/O, no clock."""
