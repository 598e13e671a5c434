"""Everything a user can do besides working an order, one file a noun."""
