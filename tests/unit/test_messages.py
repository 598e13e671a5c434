"""Every error that can reach a person has words of its own."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest

import app
import drivers
from app import errors, messages
from app.messages import exit_code, explain
from drivers.errors import DriverError, TokenRefused
from drivers.sts.results import RESULTS, Verdict, result_words


def subclasses(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for found in kind.__subclasses__():
        yield found
        yield from subclasses(found)


def every_error() -> list[type[BaseException]]:
    for package in (app, drivers):
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if "views" not in module.name and "migrations" not in module.name:
                import_module(module.name)
    return sorted({*subclasses(DriverError), *subclasses(errors.AppError)}, key=str)


def test_every_class_of_error_has_words():
    wanting = [
        kind.__name__
        for kind in every_error()
        if kind.__module__ in {"drivers.errors", "app.errors"} and kind not in messages._WORDS
    ]
    assert wanting == []


def test_every_class_of_error_has_an_exit_code_of_its_own_or_of_its_family():
    without = [
        kind.__name__
        for kind in every_error()
        if not any(parent in messages.EXIT_CODES for parent in kind.__mro__)
    ]
    # `Interrupted` takes the code of what interrupted it
    assert set(without) <= {"Interrupted"}


@pytest.mark.parametrize("code", sorted(RESULTS))
def test_a_refused_token_is_explained_by_the_result_of_the_meter(code):
    message = explain(TokenRefused("token 1234 •••• 5678", code))
    assert result_words(code).remedy == message.remedy
    assert message.meaning
    assert exit_code(TokenRefused("", code)) == 16


def test_an_unknown_result_is_a_refusal_without_a_reason():
    assert result_words(99).verdict is Verdict.REFUSED
