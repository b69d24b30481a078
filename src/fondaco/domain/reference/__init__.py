"""What the house trades and under which rules: instruments, assets, fees, calendars, limits."""
