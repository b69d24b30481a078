"""What the world pays: feeds, their normaliser, order books with a stated quality, bars, marks.

Everything here is tape: observed, never decided. Raw bytes go to the tape first; books and marks
are computed from them and can be computed again.

    feeds/*.run → intake: tape.append, then a Normaliser.take → board → listeners

This room has no `events` or `rules`, since nobody asks it to decide, and no `store`: what it knows
is in memory, on the `Board`, and on the tape.
"""
