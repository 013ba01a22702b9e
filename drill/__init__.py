"""Lets everything happen that dashboards and alerts are made for, beside a real Prometheus."""
