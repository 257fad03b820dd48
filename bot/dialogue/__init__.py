"""The Rasa agent in a worker: turns, tracker store, in-process actions."""
