"""One module per channel that reaches out of the house."""
