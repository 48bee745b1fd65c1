"""The REST of runs, schedules, models and archives: what is asked and what is answered."""
