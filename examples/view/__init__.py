"""Totals by customer, kept by the stream of the orders."""
