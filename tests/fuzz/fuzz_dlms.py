"""Coverage-guided fuzzing of the DLMS client's parsers.

    python tests/fuzz/fuzz_dlms.py -max_total_time=300

Any exception but a `DriverError` is a finding; so is an input that takes longer than five seconds.
A corpus directory may be named as with any libFuzzer target.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["drivers.dlms"]):
    from tests.fuzz.dlms_parsers import feed


def main() -> None:
    """Run until the time given on the command line is over, or a finding ends it."""
    atheris.Setup([*sys.argv, "-timeout=5", "-max_len=2048"], feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
