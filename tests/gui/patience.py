"""How long a window test waits for what must come: how soon it does is the machine's affair."""

PATIENCE = 30_000  # ms
