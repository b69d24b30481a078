"""What the world pays: feeds, their normaliser, order books with a stated quality, bars, marks.

Everything here is tape: observed, never decided. Raw bytes go to the tape first; books and marks
are computed from them and can be computed again.
"""
