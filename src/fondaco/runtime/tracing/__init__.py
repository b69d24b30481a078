"""When what was written happened: noted beside the journal, told as spans, summed up by hop."""
