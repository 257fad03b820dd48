"""Kasuki: a customer-service assistant that shops can run."""
