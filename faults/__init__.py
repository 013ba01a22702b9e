"""The fault suite: a real cluster, real workers, faults on purpose, and a checker that judges."""
