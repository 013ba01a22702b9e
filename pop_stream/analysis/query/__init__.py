"""SQL over exported events, in a room without doors: no network, no other file, no change."""
