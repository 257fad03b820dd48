"""What the assistant does and says beyond fixed texts: thin Rasa actions, by topic, over the services."""
