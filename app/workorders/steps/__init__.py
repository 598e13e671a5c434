"""One kind of step each: what is asked, read, judged and kept."""
