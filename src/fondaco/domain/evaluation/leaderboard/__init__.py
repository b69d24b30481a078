"""Who is ahead among those who are assessed, and under which name they want to be seen."""
