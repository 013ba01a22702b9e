"""The players' side: what is sent to Kafka, and the proof that it was."""
