"""What ``status`` says of a queue: what waits, who does what, and what nobody could."""

from __future__ import annotations

from typing import Any

from tempo_edge._console.text import printable
from tempo_edge.moment import format_timestamp

__all__ = ["queue_lines"]


def queue_lines(queue: dict[str, Any]) -> list[str]:
    """Lines for people.

    Args:
        queue: the values of a :class:`tempo_edge.store.queue.QueueState`.
    """
    waiting = [f"{count} for {kind}" for kind, count in queue["waiting"].items()]
    told = f"{', '.join(waiting)} waiting" if waiting else "empty"
    lines = [f"queue     {told}{', paused' if queue['is_paused'] else ''}"]
    for each in queue["workers"]:
        does, task = "idle", each["task"]
        if task is not None:
            since = format_timestamp(round(each["seconds"])).removesuffix(".0")
            does = f"{task['kind']} of {printable(task['file'])}, for {since}"
        who = f"pid {each['process']} on {printable(each['machine'])}"
        lines.append(f"worker    {who} ({', '.join(each['kinds'])}): {does}")
    for task, reason in queue["given_up"]:
        lines.append(f"given up  {task['kind']} of {printable(task['file'])}: {printable(reason)}")
    return lines
