"""Use cases, one transaction each; storage and clock come in through ports."""
