#!/usr/bin/env python3
"""Sets Meterwright up on a fresh machine and runs it: demo, test, bench, tour.

Standard library only, for Linux, Windows and macOS.  Everything is installed into ``.venv`` beside
this file, from the locked requirements; system packages are installed on Debian and Ubuntu when
this runs as root (or may use sudo without a password), else the command to type is printed.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
OLDEST = (3, 11)
PEERS = "peers"  # folder of .venv with programs of other people that one test talks to

WINDOW_PACKAGES = [
    "libgl1", "libegl1", "libfontconfig1", "libxkbcommon0", "libglib2.0-0", "libdbus-1-3",
    "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0",
    "libxcb-render-util0", "libxcb-shape0", "libxcb-xinerama0", "libxcb-xkb1",
    "libxkbcommon-x11-0",
]  # fmt: skip
TEST_PACKAGES = [
    *WINDOW_PACKAGES, "xvfb", "xauth", "xdotool", "dbus", "gnome-keyring", "postgresql", "procps",
    "strace",
]  # fmt: skip
CLUSTER_SETTING = Path("/etc/postgresql-common/createcluster.conf")


class Trouble(Exception):
    """Something the person at the keyboard must do first; the text says what."""


def main() -> int:
    """Run the command that was asked for and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["setup", "demo", "test", "bench", "tour"])
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="passed on")
    options = parser.parse_args()
    try:
        return COMMANDS[options.command](options.arguments)
    except Trouble as trouble:
        print(f"dev.py: {trouble}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 3


# -- setting up ------------------------------------------------------------------------------


def set_up(requirements: str, apart: str = "") -> None:
    """Make ``.venv`` hold exactly the locked ``requirements``; nothing to do when it does.

    With ``apart`` they go into that folder of ``.venv``, without what they depend on, so that only
    who puts the folder on its path sees them.
    """
    if sys.version_info < OLDEST:
        raise Trouble(f"Python {OLDEST[0]}.{OLDEST[1]} or later is needed")
    lock = HERE / requirements
    stamp = VENV / f"{lock.stem}.installed"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not PYTHON.exists():
        make_venv()
    folder = VENV / apart
    say(f"Installing what {requirements} lists into {folder.relative_to(HERE)} (once)")
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if apart:
        shutil.rmtree(folder, ignore_errors=True)
        pip += ["--no-deps", "--target", str(folder)]
    if subprocess.run([*pip, "--require-hashes", "-r", str(lock)], check=False).returncode:
        raise Trouble("the packages could not be installed; the lines above say why")
    stamp.write_text(wanted)


def make_venv() -> None:
    """Create ``.venv``; say which system package is missing when Python cannot."""
    say("Making .venv")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise Trouble("python3-venv is missing; type: sudo apt-get install python3-venv")


def system_packages(names: Sequence[str], purpose: str) -> None:
    """Install the Debian packages ``names`` that are missing, or say what to type."""
    if not (sys.platform.startswith("linux") and shutil.which("dpkg-query")):
        return
    present = installed(names)
    missing = [name for name in names if name not in present]
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    right = as_root()
    if right is None:
        say(f"For {purpose} some system packages are missing. Type:")
        say(f"    sudo {' '.join(command)}")
        return
    say(f"Installing system packages for {purpose}: {' '.join(missing)}")
    if "postgresql" in missing and not CLUSTER_SETTING.exists():
        # The tests start servers of their own; a service that starts at boot is not wanted.
        script = f"mkdir -p {CLUSTER_SETTING.parent}; echo create_main_cluster=false"
        subprocess.run([*right, "sh", "-c", f"{script} > {CLUSTER_SETTING}"], check=False)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"stdout": subprocess.DEVNULL, "env": environment}
    subprocess.run([*right, "apt-get", "update"], check=False, **quiet)
    command[1:1] = ["-o", "Dpkg::Options::=--force-confold"]
    if subprocess.run([*right, *command], check=False, **quiet).returncode:
        raise Trouble("apt-get could not install them; the lines above say why")


def installed(names: Sequence[str]) -> set[str]:
    """Return which of these Debian packages are installed; one question for all of them."""
    asked = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = (line.split() for line in asked.stdout.splitlines())
    return {words[0] for words in lines if words[1:] == ["installed"]}


def as_root() -> list[str] | None:
    """Return what to put before a command so that root runs it; None when that is not possible."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
        return ["sudo", "-n"] if asked.returncode == 0 else None
    return None


def say(line: str) -> None:
    """Tell the person at the keyboard what goes on, apart from the output of the program."""
    print(line, file=sys.stderr, flush=True)


# -- the commands ----------------------------------------------------------------------------


def setup(arguments: list[str]) -> int:
    """Set up for running, testing and building."""
    del arguments
    set_up("requirements-test.txt")
    set_up("requirements-peer.txt", PEERS)
    system_packages(TEST_PACKAGES, "the window and the tests")
    say(f"Ready: {PYTHON} -m app")
    return 0


def demo(arguments: list[str]) -> int:
    """Show the program with sample orders and virtual meters."""
    set_up("requirements.txt")
    if "--headless" not in arguments and has_display():
        system_packages(WINDOW_PACKAGES, "the window")
    return run(["-m", "app", "demo", *arguments])


def tour(arguments: list[str]) -> int:
    """Drive the window through a whole visit and leave one picture per screen."""
    set_up("requirements-test.txt")
    system_packages(WINDOW_PACKAGES, "the window")
    environment = {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")}
    return run(["tests/tour.py", *arguments], environment)


def bench(arguments: list[str]) -> int:
    """Run the benchmarks (all, or the ones named); each prints its figures and their ratio."""
    set_up("requirements-test.txt")
    wanted = set(arguments)
    worst = 0
    for script in sorted((HERE / "bench").glob("*.py")):
        if not wanted or script.stem in wanted:
            say(f"== {script.stem}")
            worst = max(worst, run([str(script.relative_to(HERE))]))
    return worst


def test(arguments: list[str]) -> int:
    """Run the gates and every test; with arguments, pytest alone with those arguments."""
    set_up("requirements-test.txt")
    set_up("requirements-peer.txt", PEERS)
    system_packages(TEST_PACKAGES, "the tests")
    with screen() as display, secret_service() as bus:
        environment = {**bus, **display}
        if arguments:
            return run(["-m", "pytest", *arguments], {**environment, **OFFSCREEN})
        stages = [
            ("style", ["-m", "ruff", "check", "."], {}),
            ("format", ["-m", "ruff", "format", "--check", "."], {}),
            ("types", ["-m", "mypy"], {}),
            ("contracts", ["-c", LINT_IMPORTS], {}),
            ("dead code", ["-m", "vulture"], {}),
            ("tests", EVERY_TEST, {**environment, **OFFSCREEN}),
        ]
        with behind(["-m", "tests.faults.many_simulations", "--behind"]) as simulation:
            return run_stages([*stages, ("simulation", simulation, {})])


OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}
# A file stays with one worker, and so does what its tests share; in the order of their names the
# files of few but long tests come before those of many short ones, so that both workers end alike.
EVERY_TEST = [
    "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "tests",
]  # fmt: skip
LINT_IMPORTS = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"


Stage = list[str] | Callable[[], int]


@contextmanager
def behind(arguments: list[str]) -> Iterator[Callable[[], int]]:
    """Let a Python run in the pauses of all else; give what waits for it and says what it said."""
    with tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(
            [str(PYTHON), *arguments], cwd=HERE, env={**os.environ, "PYTHONPATH": str(HERE)},
            stdout=told, stderr=subprocess.STDOUT,
        )  # fmt: skip

        def ended() -> int:
            code = process.wait()
            told.seek(0)
            print(told.read(), end="", flush=True)
            return code

        try:
            yield ended
        finally:
            process.terminate()
            process.wait(10)


def run_stages(stages: Sequence[tuple[str, Stage, dict[str, str]]]) -> int:
    """Run every stage, also after one has failed, and return 1 when any failed."""
    failed, started = [], time.monotonic()
    for name, stage, environment in stages:
        begun = time.monotonic()
        print(f"== {name}", flush=True)
        if stage() if callable(stage) else run(stage, environment):
            failed.append(name)
        print(f"== {name}: {time.monotonic() - begun:.1f} s", flush=True)
    print(f"All stages took {time.monotonic() - started:.0f} s")
    print(f"FAILED: {', '.join(failed)}" if failed else "Every stage passed")
    return 1 if failed else 0


def run(arguments: list[str], environment: dict[str, str] | None = None) -> int:
    """Run the Python of ``.venv`` here and return its exit code."""
    full = {**os.environ, "PYTHONPATH": str(HERE), **(environment or {})}
    return subprocess.run([str(PYTHON), *arguments], cwd=HERE, env=full, check=False).returncode


# -- what the tests need around them ---------------------------------------------------------


def has_display() -> bool:
    """Tell whether a window can be shown here."""
    if WINDOWS or sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def screen() -> Iterator[dict[str, str]]:
    """Give a screen of our own (Xvfb) while inside; nothing where there is no Xvfb."""
    server = shutil.which("Xvfb")
    if server is None:
        yield {}
        return
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        # a server that starts anew when its last window closes may refuse the next one
        [server, "-displayfd", str(write_end), "-screen", "0", "1366x768x24", "-noreset",
         "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write_end)
    try:
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()  # "" when the server could not start
        yield {"DISPLAY": f":{number}"} if number else {}
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def secret_service() -> Iterator[dict[str, str]]:
    """Give a session bus with an unlocked, empty gnome-keyring; nothing where it is missing."""
    daemon, keyring = shutil.which("dbus-daemon"), shutil.which("gnome-keyring-daemon")
    if daemon is None or keyring is None:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="meterwright-") as home:
        homes = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"), home)
        bus = subprocess.Popen(
            [daemon, "--session", "--nofork", "--print-address=1"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **homes},
        )  # fmt: skip
        try:
            address = {"DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip()}
            subprocess.run(
                [keyring, "--unlock", "--components=secrets", "--daemonize"],
                input="test", text=True, capture_output=True, check=False,
                env={**os.environ, **homes, **address},
            )  # fmt: skip
            yield address
        finally:
            bus.terminate()  # the keyring daemon ends with its bus
            bus.wait(10)


COMMANDS = {"setup": setup, "demo": demo, "test": test, "bench": bench, "tour": tour}

if __name__ == "__main__":
    sys.exit(main())
