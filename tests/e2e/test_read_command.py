"""``simulate`` and ``read`` against each other, in processes of their own, on real transports."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from defusedxml.ElementTree import parse

from tests.e2e.command import PASSWORD, environment, meterwright, started, virtual_meter

HEXCELL = ["--type", "hexcell-ddsy1088", "--serial", "46000755036", "--secret-env", "MW"]
READOUT = Path(__file__).parents[2] / "resources" / "demo" / "readout.txt"


def read_hexcell(link: str, *what: object):
    return meterwright("read", link, *what, *HEXCELL, "--json", env=PASSWORD)


@pytest.mark.parametrize("listen", ["tcp:0", "rfc2217:0", "pty"])
def test_what_is_read_is_what_the_virtual_meter_holds(listen: str, tmp_path: Path):
    expected = tmp_path / "expected.json"
    with virtual_meter(
        "hexcell-ddsy1088", listen, "--serial", "46000755036", "--rows", 40, "--expected", expected
    ) as link:
        ended = read_hexcell(link, "identity", "registers", "profile", "events", "clock", "relay")
    assert ended.code == 0, ended.out + ended.err
    found, wanted = ended.json, json.loads(expected.read_text())
    assert found["identity"]["serial"] == wanted["identity"]["serial"] == "46000755036"
    codes = [r["obis"] for r in wanted["registers"]]
    assert [r["obis"] for r in found["registers"]] == codes
    units = {r["obis"]: r["unit"] for r in wanted["registers"]}
    assert {r["obis"]: r["unit"] for r in found["registers"]} == units
    assert found["profile"]["complete"]
    wanted_rows = {row["time"]: row["values"] for row in wanted["profile"]["rows"]}
    for row in found["profile"]["rows"]:
        assert wanted_rows.get(row["time"], row["values"]) == row["values"]
    assert len(found["profile"]["rows"]) == 40
    assert found["events"]["rows"] == wanted["events"]["rows"]
    assert 1 < abs(float(found["clock"]["offset_s"])) < 10
    assert found["relay"]["state"] == "connected"
    assert found["statistics"]["resends"] == 0


def test_a_replayed_readout_is_read_through_a_virtual_optical_port(tmp_path: Path):
    probe = tmp_path / "probe"
    with virtual_meter(f"replay:{READOUT}", f"pty:{probe}", "--real-time-line") as link:
        assert link == str(probe)
        ended = meterwright("read", link, "identity", "registers", "--json")
    assert ended.code == 0, ended.out + ended.err
    assert ended.json["type"] == "generic-iec62056-21"
    assert ended.json["identity"]["serial"] == "33112077"
    values = {r["obis"]: r["value"] for r in ended.json["registers"]}
    assert values["1-0:1.8.0.255"] == "10482.317"


def test_decoding_the_same_file_gives_the_same_values():
    shape = meterwright("decode", "readout", READOUT, "--json").json
    assert shape["check"] == "xor"
    assert [v["value"] for v in shape["values"] if v["code"] == "1.8.0"] == ["10482.317"]


@pytest.mark.parametrize(
    ("what", "code", "name"),
    [
        (["/dev/ttyNoSuchPort", "identity"], 10, "PortUnavailable"),
        (["tcp://127.0.0.1:1", "identity"], 10, "PortUnavailable"),
        (["tcp://nonsense", "identity"], 10, "PortUnavailable"),
        (["tcp://127.0.0.1:1", "everything"], 2, "BadInput"),
        (["tcp://127.0.0.1:1", "object"], 2, "BadInput"),
        (["tcp://127.0.0.1:1", "profile", "--from", "yesterday"], 2, "BadInput"),
        (["tcp://127.0.0.1:1", "identity", "--type", "no-such-meter"], 2, "BadInput"),
        (["tcp://127.0.0.1:1", "identity", "--secret-env", "NOT_SET"], 2, "BadInput"),
        (["tcp://127.0.0.1:1", "identity", "--out", "/nowhere/x.json"], 2, "BadInput"),
        (["tcp://127.0.0.1:1", "identity", "--out", "x.txt"], 2, "BadInput"),
        (["tcp://127.0.0.1:1", "identity", "--trace", "/nowhere/x"], 2, "BadInput"),
        (["serial:", "identity"], 2, "BadInput"),
        (
            ["tcp://127.0.0.1:1", "profile", "--from", "2026-02-01", "--to", "2026-01-01"],
            2,
            "BadInput",
        ),
        (
            [
                "tcp://127.0.0.1:1",
                "identity",
                "--type",
                "generic-dlms",
                "--address-size",
                "1",
                "--physical",
                "17",
            ],
            2,
            "BadInput",
        ),
        (["serial:00", "identity"], 2, "NotFound"),
    ],
)
def test_what_cannot_be_done_ends_with_its_code_and_words(what, code, name):
    ended = meterwright("read", *what, "--json")
    assert ended.code == code, ended.out + ended.err
    assert ended.error["code"] == code
    assert ended.error["name"] == name
    assert ended.error["title"]
    assert ended.error["remedy"]


def test_what_is_no_readout_is_said(tmp_path: Path):
    text = tmp_path / "letter.txt"
    text.write_text("Dear Sir,\nthis is no readout.\n")
    for file in (text, Path(sys.executable)):
        ended = meterwright("decode", "readout", file, "--json")
        assert (ended.code, ended.error["name"]) == (2, "BadInput")


def test_a_stopped_read_signs_off_and_keeps_what_arrived_in_a_whole_message(tmp_path: Path):
    out = tmp_path / "rows.xml"
    with started(
        "simulate", "hexcell-ddsy1088", "--listen", "tcp:0", "--serial", "46000755036",
        "--rows", 3000, "--real-time-line",
    ) as meter:  # fmt: skip
        assert meter.stdout is not None
        link = meter.stdout.readline().removeprefix("listening on ").strip()
        with started(
            "read", link, "identity", "profile", *HEXCELL, "--out", out, "--json", env=PASSWORD
        ) as reader:
            assert reader.stderr is not None
            for line in reader.stderr:
                if "Reading the profile: " in line:
                    reader.send_signal(signal.SIGINT)
                    break
            told = reader.communicate(timeout=60)[0]
        assert reader.returncode == 3
        shape = json.loads(told)
        assert shape["error"]["name"] == "Cancelled"
        assert shape["complete"] is False
        assert shape["identity"]["serial"] == "46000755036"
        assert shape["profile"]["complete"] is False
    root = parse(out).getroot()
    assert [one.text for one in root.iterfind(".//{*}Meter/{*}Names/{*}name")] == ["46000755036"]
    assert 0 < len(root.findall(".//{*}IntervalReadings")) < 6000


def test_wrong_usage_ends_with_2():
    assert meterwright("read").code == 2
    assert meterwright("no-such-command").code == 2
    for option, value in (("--client", 9999), ("--window", 0), ("--reply-time", -1)):
        assert meterwright("read", "tcp://127.0.0.1:1", "identity", option, value).code == 2
    assert meterwright("--help").code == 0


def test_a_silent_meter_a_refused_password_and_a_missing_object_each_have_their_code():
    with virtual_meter("hexcell-ddsy1088", "tcp:0", "--serial", "46000755036") as link:
        wrong = meterwright(
            "read", link, "identity", *HEXCELL, "--json", env={"MW_PASSWORD": "wrong"}
        )
        assert (wrong.code, wrong.error["name"]) == (13, "AccessDenied")
        assert set(wrong.json) == {"error"}, "nothing arrived, so nothing stands beside it"
        absent = read_hexcell(link, "object", "1-0:99.99.99.255/3")
        assert (absent.code, absent.error["name"]) == (15, "NotSupported")
        other = meterwright(
            "read", link, "identity", "--json", "--type", "hexcell-ddsy1088",
            "--serial", "46000755037", "--secret-env", "MW", "--reply-time", "0.3", env=PASSWORD,
        )  # fmt: skip
        assert (other.code, other.error["name"]) == (11, "NoReply")


def test_a_probe_that_is_pulled_in_mid_profile_loses_nothing_that_arrived(tmp_path: Path):
    out = tmp_path / "rows.csv"
    with started(
        "simulate", "hexcell-ddsy1088", "--listen", "tcp:0", "--serial", "46000755036",
        "--rows", 3000, "--real-time-line",
    ) as meter:  # fmt: skip
        assert meter.stdout is not None
        link = meter.stdout.readline().removeprefix("listening on ").strip()
        with started(
            "read", link, "profile", *HEXCELL, "--out", out, "--json", env=PASSWORD
        ) as reader:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and not (out.exists() and out.stat().st_size > 500):
                time.sleep(0.1)
            meter.send_signal(signal.SIGKILL)
            output, _ = reader.communicate(timeout=30)
        assert reader.returncode == 10, output
        shape = json.loads(output)
        assert "rows kept" in shape["error"]["detail"]
        assert (shape["complete"], shape["profile"]["complete"]) == (False, False)
    assert len(out.read_text().splitlines()) > 10


def test_a_list_that_breaks_off_leaves_its_values_to_scripts_marked_as_unproved(tmp_path: Path):
    out = tmp_path / "values.csv"
    given = ["identity", "registers", "--type", "emh-lzqj", "--retries", 0, "--out", out]
    with virtual_meter("emh-lzqj", "tcp:0", "--fault", "silent-after-100") as link:
        ended = meterwright("read", link, *given, "--json")
    assert (ended.code, ended.error["name"]) == (12, "GarbledReply")
    assert ended.error["title"] == "The meter fell silent in the middle"
    assert ended.json["complete"] is False
    (energy,) = [r for r in ended.json["registers"] if r["obis"] == "1-0:1.8.0.255"]
    assert (energy["unit"], energy["check"]) == ("kWh", "bad")
    head, *lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert head == "Code,Name,Value,Unit,Time,Check"
    assert all(line.endswith(",bad") for line in lines)


def test_control_c_signs_off_and_ends_with_3(tmp_path: Path):
    with virtual_meter(
        "hexcell-ddsy1088", "tcp:0", "--serial", "46000755036", "--rows", 3000, "--real-time-line"
    ) as link:
        with started("read", link, "profile", *HEXCELL, "--json", env=PASSWORD) as reader:
            assert reader.stderr is not None
            for line in reader.stderr:
                if "Reading the profile: " in line:
                    reader.send_signal(signal.SIGINT)
                    break
            output, errors = reader.communicate(timeout=60)
        assert reader.returncode == 3, output + errors
        kept = json.loads(output)
        assert kept["error"]["code"] == 3
        assert kept["profile"]["rows"]
        assert not kept["profile"]["complete"]
        again = read_hexcell(link, "clock")
        assert again.code == 0, "the meter was signed off and answers at once: " + again.out


def test_the_clock_is_set_and_read_back():
    with virtual_meter("hexcell-ddsy1088", "tcp:0", "--serial", "46000755036") as link:
        ended = meterwright("clock", "set", link, "--yes", *HEXCELL, "--json", env=PASSWORD)
        assert ended.code == 0, ended.out + ended.err
        assert abs(float(ended.json["before"]["offset_s"])) > 1
        assert abs(float(ended.json["after"]["offset_s"])) < 2


def test_a_trace_holds_every_byte_but_no_password(tmp_path: Path):
    file = tmp_path / "trace.jsonl"
    with virtual_meter("hexcell-ddsy1088", "tcp:0", "--serial", "46000755036") as link:
        ended = meterwright(
            "read", link, "identity", *HEXCELL, "--trace", file, "--json", env=PASSWORD
        )
    assert ended.code == 0, ended.out
    text = file.read_text()
    assert len(text.splitlines()) > 6
    assert "MW-TEST-1" not in text
    assert b"MW-TEST-1".hex() not in text.lower()


def test_rows_go_to_a_spreadsheet_and_to_json(tmp_path: Path):
    with virtual_meter(
        "hexcell-ddsy1088", "tcp:0", "--serial", "46000755036", "--rows", 20
    ) as link:
        for name in ("out.xlsx", "out.json", "out.csv"):
            ended = read_hexcell(link, "registers", "profile", "--out", tmp_path / name)
            assert ended.code == 0, ended.out
            assert (tmp_path / name).stat().st_size > 300
    assert len(json.loads((tmp_path / "out.json").read_text())["profile"]["rows"]) == 20


def test_short_names_blocks_and_the_last_events_from_the_command_line():
    with virtual_meter(
        "landisgyr-zmf100", "tcp:0", "--rows", 60, "--fault", "gbt", "--fault", "gbt-abort"
    ) as link:
        given = [link, "--type", "landisgyr-zmf100", "--json"]
        logical = meterwright("read", *given, "registers", "quality", "profile", "events").json
        blocks = ["--referencing", "short", "--general-blocks", "on", "--last", 3]
        ended = meterwright("read", *given, *blocks, "registers", "quality", "profile", "events")
        found = ended.json
        since = logical["events"]["rows"][-2]["time"]
        later = meterwright("read", *given, "events", "--from", since).json
        before = meterwright("read", *given, "events", "--to", since, "--last", 2).json
    assert ended.code == 0, ended.out
    assert found["registers"] == logical["registers"]
    assert found["profile"]["rows"] == logical["profile"]["rows"][-3:]
    assert found["events"]["rows"] == logical["events"]["rows"][-3:]
    rows = logical["events"]["rows"]
    assert later["events"]["rows"] == [row for row in rows if row["time"] >= since]
    assert before["events"]["rows"] == [row for row in rows if row["time"] <= since][-2:]
    names = {one["obis"]: one["name"] for one in found["registers"]}
    told_twice = {one["obis"]: one["name"] for one in found["quality"] if one["obis"] in names}
    assert told_twice["1-1:32.7.0.255"] == "Voltage L1"
    assert told_twice.items() <= names.items()


def test_importing_the_drivers_alone_needs_nothing_of_the_program():
    code = "import drivers.connect, sys; sys.exit(any(n.split('.')[0] in ('app', 'PySide6', "
    code += "'sqlalchemy', 'keyring', 'reportlab') for n in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], env=environment(), check=False)
    assert ended.returncode == 0


def test_a_meter_is_found_by_its_number_and_read_by_it_ever_after(tmp_path) -> None:
    data = {"METERWRIGHT_DATA": str(tmp_path)}
    one, two = "46000755036", "46000755037"
    with virtual_meter("hexcell-ddsy1088*2", "tcp:0", "--serial", one, "--rows", "48") as link:
        found = meterwright("find", link, "--serial", two, *HEXCELL[:2], "--json", env=data)
        assert [meter["identity"]["serial"] for meter in found.json["meters"]] == [two]
        read = meterwright("read", two, "identity", "--secret-env", "MW", "--json",
                           env=data | PASSWORD)  # fmt: skip
        assert read.json["identity"]["serial"] == two
        formula = ("--formula", "SN % 10000 + 1001")  # the neighbour's address
        other = meterwright("find", link, "--serial", one, *formula, "--json", env=data)
        assert (other.code, other.error["name"]) == (14, "WrongMeter")
        nobody = meterwright("find", link, "--serial", "46000759999", *HEXCELL[:2], env=data)
        assert nobody.code == 11
    places = tmp_path / "meters_found.json"
    places.write_text(places.read_text().replace(link, "moved"))
    with virtual_meter("hexcell-ddsy1088", "tcp:0", "--serial", one) as link:
        places.write_text(places.read_text().replace("moved", link))
        wrapped = ("--framing", "wrapper", "--secret-env", "MW", "--yes", "--json")
        other = meterwright("relay", "open", two, *wrapped, env=data | PASSWORD)
        assert (other.code, other.error["name"]) == (14, "WrongMeter")  # nothing was switched
    stranger = meterwright("read", "46000759999", "identity", "--json", env=data)
    assert stranger.code == 2
