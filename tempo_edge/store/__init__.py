"""What a library is: an interface (:mod:`tempo_edge.store.interface`) and what keeps libraries.

Whoever stands above opens a library by its name (:func:`tempo_edge.store.opening.open_store`) and
knows the interface, rows and errors; what keeps it is known to nobody else.
"""
