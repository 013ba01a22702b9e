"""What the player's outbox costs, beside other queues on SQLite that are as durable."""
