"""Every module can be imported where a system lacks what Unix has, as far as Linux can tell.

It is tried in a process that is told to be another system's, once everything of others is loaded:
what that system's Python does not have is taken away, and what it has besides is there by name.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import importlib, json, os, pkgutil, signal, socket, subprocess, sys, types

OURS = ("tempo_edge", "tempo_kernels", "tempo_plugins", "tempo_export")

def modules():
    for name in OURS:
        package = importlib.import_module(name)
        yield name
        for each in pkgutil.walk_packages(package.__path__, name + ".", onerror=lambda name: None):
            yield each.name

def import_all(names):
    failed = {}
    for name in names:
        # Those with a dash are files for the Python of a launcher.
        if name.endswith("__main__") or "-" in name:
            continue
        try:
            importlib.import_module(name)
        except BaseException as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return failed

names = list(modules())
lacking = import_all(names)  # an extra, say
for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
    del sys.modules[name]

PLATFORM = sys.argv[1]
# What this house uses, or could be tempted to use: of Unix alone, and of Linux alone.
MODULES = ["fcntl", "resource", "termios", "tty", "pty", "pwd", "grp", "syslog"]
UNIX = {
    os: "O_CLOEXEC O_NONBLOCK O_NOFOLLOW O_NOCTTY O_DIRECTORY pread preadv statvfs ST_RDONLY "
    "pathconf fchmod geteuid getuid killpg nice setpriority PRIO_PROCESS major minor wait4 sync "
    "getloadavg mkfifo",
    signal: "SIGHUP SIGKILL SIGURG SIGUSR1 SIGUSR2 SIGSTOP SIGPIPE",
    socket: "AF_UNIX",
}
LINUX = {
    os: "posix_fadvise POSIX_FADV_RANDOM POSIX_FADV_DONTNEED RWF_NOWAIT sched_getaffinity "
    "sched_getscheduler sched_setscheduler sched_getparam",
}
WINDOWS = {
    os: {"O_BINARY": 0x8000, "O_NOINHERIT": 0x80},
    signal: {"SIGBREAK": 21},
    subprocess: {"CREATE_NEW_PROCESS_GROUP": 0x200, "CREATE_NO_WINDOW": 0x8000000},
}

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def take_away(lost):
    for module, names in lost.items():
        for name in filter(module.__dict__.__contains__, names.split()):
            delattr(module, name)

take_away(LINUX)
if PLATFORM == "win32":
    take_away(UNIX)
    sys.meta_path.insert(0, Refusing())
    for name in MODULES:
        sys.modules.pop(name, None)
    for module, there in WINDOWS.items():
        module.__dict__.update(there)
    sys.modules["msvcrt"] = types.ModuleType("msvcrt")
sys.platform = PLATFORM
print(json.dumps([len(names), lacking, import_all(names)]), flush=True)
os._exit(0)  # Python's own leaving is that of Linux
"""


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_everything_can_be_imported(platform: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, platform],
        env={**environment, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    count, lacking, failed = json.loads(done.stdout)
    assert count > 300
    assert set(failed) <= set(lacking), {k: v for k, v in failed.items() if k not in lacking}
