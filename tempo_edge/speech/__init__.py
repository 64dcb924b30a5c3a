"""Speech of a film to lines of words: its sound, where voices are, what a model hears there.

A recognizer (:mod:`tempo_edge.speech.recognizer`) hears windows of sound; what it doubts itself is
no evidence (:mod:`tempo_edge.speech.doubt`). Sound is never stored, here or anywhere.
"""
