"""Everything about Kafka but the stream: an embedded one, topics, connections."""
