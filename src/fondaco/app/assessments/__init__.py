"""Assessments in a house that lives: who is watched, who is asked, and what is handed out."""
