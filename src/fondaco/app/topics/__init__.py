"""What webhooks tell, as topics of a bus: the catalogue, the process that publishes, a reader."""
