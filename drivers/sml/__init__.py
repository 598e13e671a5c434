"""SML: the push telegrams of German meters."""
