"""Who stands at the doors: how often somebody may ask, and what is not let in at all."""
