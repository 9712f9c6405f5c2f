"""Stream records as changes of items."""
