"""Checks of the written dashboards: pure functions of their JSON."""
