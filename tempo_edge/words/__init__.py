"""Words of footage that cost no model: subtitles, titles of chapters, and names.

Whatever they were read from, they are lines (:class:`tempo_edge.words.line.Line`): some text, and
from when to when it belongs to a film. Readers know media files and the files beside them; who
keeps lines, and who looks for them, they don't.
"""
