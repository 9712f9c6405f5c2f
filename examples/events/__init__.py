"""Each change of an order as an event on a bus, for any number of subscribers."""
