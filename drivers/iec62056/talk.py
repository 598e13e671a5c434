"""Performs a dialogue on a link: the only place of this protocol that waits."""

from collections.abc import Generator
from typing import TypeVar

from drivers.iec62056.session import (
    Configure,
    DataLine,
    Heard,
    Identified,
    Listen,
    Part,
    Send,
    Step,
)
from drivers.link import Link

Result = TypeVar("Result")
Event = Identified | DataLine | Part


def perform(link: Link, dialogue: Generator[Step, Heard, Result]) -> Generator[Event, None, Result]:
    """Do what ``dialogue`` asks for on ``link``, yield its events, and return its result.

    Whatever the link or the dialogue raises passes through.
    """
    try:
        step = next(dialogue)
        while True:
            heard = Heard(link.now())
            if isinstance(step, Send):
                link.write(step.data, secret=step.secret)
            elif isinstance(step, Configure):
                link.configure(step.line)
                heard = Heard(link.now())
            elif isinstance(step, Listen):
                data = link.read(max(0.0, step.until - heard.now))
                heard = Heard(link.now(), data)
            else:
                yield step
                heard = Heard(link.now())
            step = dialogue.send(heard)
    except StopIteration as done:
        result: Result = done.value
        return result
    finally:
        dialogue.close()


def result_of(link: Link, dialogue: Generator[Step, Heard, Result]) -> Result:
    """Perform ``dialogue`` to its end and return its result; its events are dropped."""
    run = perform(link, dialogue)
    while True:
        try:
            next(run)
        except StopIteration as done:
            result: Result = done.value
            return result
