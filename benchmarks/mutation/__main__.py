"""``python -m benchmarks.mutation``: the table by module, and every fault that went unnoticed."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.mutation import __doc__ as about
from benchmarks.mutation.campaign import Campaign, Module, noticed, table
from benchmarks.mutation.copies import Copy
from benchmarks.mutation.equivalents import EQUIVALENTS, KINDS
from benchmarks.mutation.modules import GUARDS
from tempo_edge._files import atomic_write
from tempo_edge._files.descriptor_lock import lock_descriptor

__all__ = ["main"]

_CHECKOUT = Path(__file__).resolve().parents[2]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=about.splitlines()[0] if about else None)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="paths, or parts of them")
    parser.add_argument("--most", type=int, default=25, help="mutants a module (default: 25)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--least", type=float, default=0.85, help="share noticed (default: 0.85)")
    parser.add_argument("--again", action="store_true", help="run what was not killed once more")
    parser.add_argument("--keep", type=Path, default=_CHECKOUT / "build" / "mutation")
    parser.add_argument("--python", default=sys.executable, help="runs the tests; training's torch")
    parser.add_argument("--json", type=Path, help="write every mutant and its outcome here")
    return parser.parse_args(arguments)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Raises SystemExit: another campaign works in this folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            lock_descriptor(lock.fileno())
        except BlockingIOError:
            sys.exit(f"another campaign works in {folder}: wait for it, or give another --keep")
        yield


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line; status 1 where fewer than ``--least`` were noticed, or where tests fail."""
    options = _options(arguments)
    chosen = {
        module: tests
        for module, tests in GUARDS.items()
        if not options.modules or any(part in module for part in options.modules)
    }
    if not chosen:
        sys.exit(
            f"no module's path has {' or '.join(options.modules)} in it; there are:\n"
            + "\n".join(GUARDS)
        )
    # Whoever ends the campaign ends the tests that it runs as well.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    done: list[Module] = []
    with _alone(options.keep):
        campaign = Campaign(
            Copy(_CHECKOUT, options.keep / "copy", options.python),
            options.keep / "sessions",
            options.most,
            options.seed,
            (*KINDS, *EQUIVALENTS),
            options.again,
            lambda line: print(line, file=sys.stderr, flush=True),
        )
        for module in campaign.run(chosen):
            done.append(module)
            if options.json is not None:
                found = {**describe(), "modules": [each.as_json() for each in done]}
                with atomic_write(options.json) as draft:
                    draft.write_text(json.dumps(found) + "\n")
    print(json.dumps({**describe(), "most": options.most, "seed": options.seed}))
    print(table(done))
    print(_survivors(done), end="")
    failing = [each.module for each in done if each.trouble]
    if failing:
        sys.exit(f"tests fail without any fault: {', '.join(failing)}")
    share = noticed(done)
    sys.exit(0 if share is None or share >= options.least else 1)


def _survivors(modules: Sequence[Module]) -> str:
    return "".join(
        f"\n{each.module}:{mutant.line} {mutant.operator}\n- {mutant.before}\n+ {mutant.after}\n"
        for each in modules
        for mutant in each.mutants
        if mutant.outcome == "survived"
    )


if __name__ == "__main__":
    try:
        main()
    except InterruptedError as error:
        sys.exit(str(error))
