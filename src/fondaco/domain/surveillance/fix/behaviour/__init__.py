"""What a session is usually like, learned from clean days, and how far it is from that now."""
