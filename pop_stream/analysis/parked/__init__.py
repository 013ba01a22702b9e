"""Which events are parked, and how they stand."""
