"""How the local database came to its present shape; run by `app.models.migrate`."""
