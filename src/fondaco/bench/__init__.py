"""The house's own load: `fondaco bench orders` offers orders at their due times and says how long
each waited. It talks to a house as any client does, over its doors, and imports nothing of it."""
