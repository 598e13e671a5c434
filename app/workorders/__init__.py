"""The queue, the life of a work order and the procedure that works it."""
