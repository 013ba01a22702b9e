"""Players at pumps, simulated: what they play, by which clocks, and how it reaches Kafka."""
