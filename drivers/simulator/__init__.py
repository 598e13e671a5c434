"""Virtual meters: strict peers that share no protocol code with the client."""
