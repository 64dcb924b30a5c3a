"""``python -m tempo_edge.cli`` is ``tempo-edge``."""

from tempo_edge.cli.entry import main

if __name__ == "__main__":
    main()
