"""The whole system on one machine, watched from outside."""
