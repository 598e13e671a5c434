"""Every real readout decodes to the values worked out by hand for it; reported per file.

Long because the table of those values is: one place to look a file up in.
"""

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from drivers.iec62056 import frames, times
from drivers.iec62056.readout import Readout, decode_readout
from drivers.iec62056.readout_json import readout_json

CORPUS = Path(os.environ.get("METERWRIGHT_SHARED", "../shared")) / "data" / "iec62056-21"
ABSENT = f"the real readouts are not at {CORPUS} (set METERWRIGHT_SHARED)"

# file -> check, damaged lines, {code: "number unit", "'text", or "@time" as the meter prints it}
EXPECTED: dict[str, tuple[str, int, dict[str, str]]] = {
    "01_landisgyr_ZMD120APt": (
        "absent",
        0,
        {
            "0.0.0": "' 20000",
            "1.8.1": "1846.0 kWh",
            "2.8.1": "4329.6 kWh",
            "1.8.0": "1846.0 kWh",
            "F.F": "'00000000",
        },
    ),
    "02_landisgyr_E350_ZMF100AC_M27": (
        "absent",
        0,
        {
            "1.8.2": "219.251 kWh",
            "15.8.0": "219.252 kWh",
            "C.7.0": "'0004",
            "31.7": "2.30 A",
            "72.7": "234 V",
            "C.1.1": "'        ",
            "0.0": "'        18438636",
        },
    ),
    "03_landisgyr_E350_ZMF100AC_M26": (
        "xor",
        0,
        {
            "1.8.0": "61561.289 kWh",
            "2.8.2": "10.188 kWh",
            "15.8.0": "61571.780 kWh",
            "32.7": "241 V",
            "71.7": "0.47 A",
            "82.8.1": "'0000",
        },
    ),
    "04_landisgyr_E350_ZMF100AC_M29": (
        "bad",
        0,
        {
            "1.8.0": "52.337 kWh",
            "2.8.0": "376.432 kWh",
            "3.8.0": "145.875 kvarh",
            "131.7": "0.00 kVAr",
            "13.7": "'-.--",
            "C.7.0": "'0064",
        },
    ),
    "07_landisgyr_E230_ZMR120AC_K76": (
        "absent",
        0,
        {
            "2.8.2": "14605.516 kWh",
            "33.7.0": "0.81",
            "C.7.1": "29",
            "C.5.0": "'0004E0F0",
            "0.2.0": "'K76-0-9",
            "76.7.0": "0.07 kW",
        },
    ),
    "09_landisgyr_ZMD310_B24": (
        "bad",
        0,
        {
            "0.9.1": "'16:40:56",
            "0.9.2": "'17-11-06",
            "1.6.1": "0.01 kW @2017-11-02 08:30",
            "1.8.0": "102.28 kWh",
            "5.8.0*19": "144.36 kvarh",
            "0.2.1": "'",
        },
    ),
    "10_landisgyr_ZMD405_8bit_parity": (
        "absent",
        1,
        {
            "0.9.1": "'23:16:43",
            "0.0.0": "'",
            "C.1.0": "'54800102",
            "0.1.0*12": "'21-01-01 00:00 @2021-01-01 00:00",
            "0.1.0&12": "'20-12-3",
        },
    ),
    "11_landisgyr_UH50_heat_GJ": (
        "absent",
        0,
        {
            "6.8": "328.871 GJ",
            "6.26": "3329.67 m3",
            "9.21": "66153690",
            "6.8*01": "314.658 GJ",
            "9.4": "'098.5*C&096.1*C",
            "6.8.1": "'",
        },
    ),
    "12_landisgyr_UH50_heat_kWh": (
        "absent",
        0,
        {
            "6.8": "71813 kWh",
            "6.33": "0.300 m3ph",
            "9.36": "'2023-08-20&10:22:22 @2023-08-20 10:22",
            "6.36.5": "'",
            "9.24": "1.5 m3ph",
            "9.31": "16196 h",
        },
    ),
    "13_siemens_2WR5_heat": (
        "bad",
        0,
        {
            "6.8": "29.055 MWh",
            "6.26": "1589.28 m3",
            "9.20": "64030874",
            "6.6": "17.2 kW",
            "81.7.6": "80 Deg",
            "9.2": "'&&",
        },
    ),
    "15_itron_ACE3000_260": (
        "absent",
        0,
        {
            "1.8.0": "285.4 kWh",
            "2.8.0": "120.1 kWh",
            "C.1": "'1234567890123456",
            "C.5.0": "'00",
            "F.F": "'00",
        },
    ),
    "17_elster_AS1440_V9.21": (
        "absent",
        0,
        {
            "1.8.1": "52481.2 kWh",
            "1.8.1*32": "51967.9 kWh inherited",
            "0.1.2*32": "'2112010000 @2021-12-01 00:00",
            "0.9.1": "'221044 @2021-12-22 22:10",
            "0.9.2": "'211222",
            "C.6.0": "'001987",
        },
    ),
    "19_emh_eHZ_E0018E": (
        "absent",
        0,
        {
            "1-0:1.8.1*255": "32942.0231",
            "1-0:0.0.0*255": "'331200-5009810",
            "1-0:96.5.5*255": "'80",
            "0-0:96.1.255*255": "'0000680476",
        },
    ),
    "22_emh_LZQJ_P01_6ch": ("absent", 0, {}),
    "24_metcom_MCS301_P01_6ch": ("absent", 0, {}),
    "26_emh_LZQJ_P98": ("absent", 0, {"0.0.0": "'23456321"}),
    "28_metcom_MCS301_P98": ("absent", 0, {}),
    "29_metcom_MCS301_list1": (
        "absent",
        0,
        {
            "1.8.0": "1281.6601 kWh",
            "1.6.1": "0.50262 kW @2022-11-12 07:30",
            "1.6.1*11": "0.74906 kW @2022-09-28 14:00",
            "0.1.2*12": "'2211010000 @2022-11-01 00:00",
            "0.9.1": "'202405 @2022-11-13 20:24",
        },
    ),
    "31_iskra_MT174_echo": (
        "xor",
        0,
        {
            "1-0:1.8.0*255": "8048.375 kWh",
            "1-0:1.6.0*255": "2.468 kW @2017-03-10 09:30",
            "1-0:1.8.0*15": "4224.392 kWh",
            "0-0:F.F.0*255": "'0000000",
            "1-0:1.6.2*01": "'",
            "1-0:0.9.1*255": "'201455 @2017-03-18 20:14",
        },
    ),
    "32_iskra_ME162": (
        "absent",
        0,
        {
            "1.8.0": "32826.545 kWh",
            "2.8.0": "0.001 kWh",
            "F.F": "'0000000",
            "C.1.0": "'28342193",
        },
    ),
    "34_iskra_MT382_DSMR2": (
        "absent",
        0,
        {
            "1-0:1.8.1": "36.133 kWh",
            "0-0:17.0.0": "999.00 kW",
            "0-1:24.3.0": "'130110100000 @2013-01-10 10:00",
            "0-0:96.13.1": "'",
        },
    ),
    "35_kamstrup_162": (
        "absent",
        0,
        {"1-0:1.8.1": "68.000 kWh", "1-0:2.7.0": "0.12 kW", "0-0:17.0.0": "999 A"},
    ),
    "37_kamstrup_685-382": (
        "absent",
        0,
        {
            "1.20": "83038 kWh",
            "1.31": "160249 h",
            "1.6": "7.4 kW",
            "1.6*1": "13.0 kW inherited",
        },
    ),
    "38_hager_eHZ161WA": (
        "absent",
        0,
        {
            "1-0:1.8.0*255": "1.2963",
            "1-0:52.7.0*255": "228.38 V",
            "1-0:41.7.0*255": "26 W",
            "1-0:96.50.0*1": "'07D0",
        },
    ),
    "39_easymeter_Q3D": (
        "absent",
        0,
        {
            "1-0:2.8.0*255": "7041.2292533 kWh",
            "1-0:21.7.255*255": "-73.69 W",
            "1-0:1.7.255*255": "-142.30 W",
            "1-0:96.5.5*255": "'A2",
        },
    ),
    "40_landisgyr_ZCF100_P1": (
        "crc16",
        0,
        {
            "1-0:1.8.1": "75.067 kWh",
            "0-1:24.2.1": "66.405 m3 @2016-11-16 20:00",
            "1-0:99.97.0": "0",
            "0-0:1.0.0": "'161116201035W @2016-11-16 20:10",
        },
    ),
    "41_ziv_5CTA3_P1": (
        "crc16",
        0,
        {
            "1-0:1.8.1": "7.360 kWh",
            "1-0:32.7.0": "226.0 V",
            "1-0:51.7.0": "1 A",
            "0-0:96.14.0": "'0002",
        },
    ),
    "42_kaifa_MA105_P1": (
        "crc16",
        0,
        {
            "1-0:1.8.1": "1581.123 kWh",
            "1-0:99.97.0": "3",
            "1-0:51.7.0": "6 A",
            "0-1:24.2.1": "981.443 m3 @2016-11-29 20:00",
        },
    ),
    "46_ellevio_ELL5_HAN": (
        "crc16",
        0,
        {"1-0:1.8.0": "6678.394 kWh", "1-0:44.7.0": "0.161 kvar", "1-0:31.7.0": "4.2 A"},
    ),
    "48_apator_12EC3_NUL_serial": (
        "bad",
        1,
        {
            "1.8.0*00": "7900.58",
            "C.2.1": "'1107113C2E06",
            "0.2.2": "':::::G11",
            "0.0.0": "'" + "\0" * 8,
        },
    ),
    "49_pafal_12EC3g_doubled": (
        "absent",
        0,
        {"1.8.0*00": "783.16", "2.8.0*00": "45.38", "0.0.1": "'PAF"},
    ),
    "52_logarex_LK13BD102015": (
        "absent",
        0,
        {
            "1.8.0": "35070.523 kWh",
            "0.2.1": "'ver.02, 130314, 41BD",
            "C.2.1": "'1412201128 @2014-12-20 11:28",
            "C.7.1": "2",
        },
    ),
    "54_kaifa_MA309M": (
        "absent",
        0,
        {
            "1.8.0": "26348.8 kWh",
            "C.90.2": "'239b1249",
            "0.2.0": "'01.03-21",
            "2.8.2": "9281.3 kWh",
        },
    ),
    "55_satec_EM720": (
        "absent",
        0,
        {
            "1.8.0": "343642.9 kWh",
            "1.6.0": "18014 kW @2010-02-01 00:15",
            "2.6.0": "0 kW @2010-02-01 00:15",
            "1.2.0": "275663 kW",
            "0.0.0": "'EM72000656621",
        },
    ),
    "57_makel_turkish_MASS": (
        "absent",
        0,
        {
            "1.8.0": "0.015 kWh",
            "0.9.2": "'19-05-10",
            "0.8.0": "15 min",
            "0.1.2*1": "'00-00-00,00:00",
            "96.77.2*1": "'18-12-12,20:19,99-99-99,99:99",
        },
    ),
    "59_viko_turkish_MASS": (
        "absent",
        0,
        {
            "0.0.0": "'01405959",
            "0.9.2": "'12-01-11 @2012-01-11 10:39",
            "1.6.0": "0.000 kW",
            "1.8.1*12": "0.000 kWh",
            "32.7.0": "218.837 V",
            "33.7.0": "0.396",
            "96.97": "1 hour",
        },
    ),
    "61_emu_professional_P01": ("absent", 0, {}),
    "63_unknown_P01_avg_energy": ("absent", 0, {}),
    "64_sanxing_AUX_P1_monthly": (
        "bad",
        1,
        {
            "1-0:15.8.0": "2526.790 kWh",
            "0-0:98.1.0": "663.924 kWh @2023-08-01 00:00",
            "0-0:96.50.68": "'ON",
            "0-0:96.13.0": "'" + "\xff" * 1024,
        },
    ),
    "65_energomera_CE301_exchange": (
        "sum",
        0,
        {
            "P0": "'777777",
            "ET0PE": "16907.9477764",
            "VOLTA": "233.751",
            "FREQU": "49.96",
        },
    ),
    "67_neva_MT324_exchange": (
        "xor",
        0,
        {
            "100700FF": "5.3",
            "0F0880FF": "'000046.24,000031.14,000015.10,000000.00,000000.00",
            "030880FF": "'(01)",
            "600900FF": "'029",
        },
    ),
    "69_emh_LZQJ_settime_exchange": ("xor", 0, {"P0": "'"}),
    "71_iskra_AM550_P1_ER_codes": (
        "absent",
        1,
        {"0-2:25.6.0": "'ER23", "1-0:0.2.0": "'(ER11)", "1-0:1.8.0": "27257.748 kWh"},
    ),
    "72_iskra_ME383": (
        "absent",
        0,
        {"1-0:1.8.0": "688.01 kWh", "1-0:1.7.0": "131.72 kWh", "1-0:0.8.0": "'00900"},
    ),
    "75_elster_AS3000": (
        "absent",
        0,
        {
            "1.8.0": "5450.425 kWh",
            "1.8.1*02": "2229.372 kWh inherited",
            "16.7.0": "2.171 kW",
            "1.6.1*01": "9.26 kW inherited @2016-01-25 22:15",
            "1.6.1": "9.48 kW @2016-03-14 18:45",
            "F.F.1": "'00000000",
        },
    ),
}


def decoded(name: str) -> Readout:
    path = CORPUS / f"{name}.txt"
    if not path.exists():
        pytest.skip(ABSENT)
    return decode_readout(path.read_bytes())


def printed(item) -> str:
    return item.time.replace(tzinfo=None).strftime("@%Y-%m-%d %H:%M") if item.time else ""


@pytest.mark.parametrize("name", EXPECTED)
def test_a_real_readout_decodes_to_its_listed_values(name):
    check, damaged, wanted = EXPECTED[name]
    readout = decoded(name)
    assert (readout.check, readout.damaged) == (check, damaged), readout.remarks
    first = {item.code: item for item in reversed(readout.values)}
    for code, want in wanted.items():
        item = first[code]
        if want.startswith("'"):
            text, _, time = want[1:].partition(" @")
            assert item.text == text, code
        else:
            value, _, time = want.partition(" @")
            number, _, unit = value.partition(" ")
            unit, _, inherited = unit.partition(" ")
            assert item.value == Decimal(number), code
            assert f"{item.value:f}" == number, "every digit after the point stays"
            assert (item.unit, item.unit_inherited) == (unit, bool(inherited)), code
        if time:
            assert printed(item) == f"@{time}", code
    document = readout_json(readout)
    assert len(document["values"]) == len(readout.values)


def test_every_file_of_the_corpus_is_listed_here():
    if not CORPUS.exists():
        pytest.skip(ABSENT)
    files = {path.stem for path in CORPUS.glob("[0-9]*.txt")} - {"00_identification_lines"}
    assert files == set(EXPECTED)


def rows(name):
    profile = decoded(name).profile
    local = [row.time.astimezone(profile.headers[0].time.tzinfo) for row in profile.rows]
    return profile, [f"{time:%Y-%m-%d %H:%M:%S}" for time in local]


def test_the_emh_profile_starts_at_its_header_in_summer_time():
    profile, times_ = rows("22_emh_LZQJ_P01_6ch")
    assert times_ == ["2022-08-23 16:15:00", "2022-08-23 16:30:00"]
    assert profile.rows[0].time.isoformat() == "2022-08-23T14:15:00+00:00"
    assert profile.info.period_s == 900
    assert [c.obis for c in profile.info.columns][:2] == ["1-0:1.5.0.255", "1-0:2.5.0.255"]
    assert [c.unit for c in profile.info.columns][1:3] == ["kW", "kvar"]
    numbers = ["0.18374", "0.00078", "0.00000", "0.00006", "0.00087", "0.02431"]
    assert profile.rows[0].values == tuple(map(Decimal, numbers))
    assert profile.rows[1].values[0] == Decimal("0.16832")
    assert profile.rows[0].status_raw == 0
    assert profile.complete


def test_the_metcom_profile_tells_daylight_saving_in_its_short_status():
    profile, times_ = rows("24_metcom_MCS301_P01_6ch")
    assert times_[0] == "2022-08-23 15:00:00"
    assert times_[-1] == "2022-08-23 15:45:00"
    assert profile.rows[0].status == ("daylight saving",)
    assert profile.rows[0].values[1] == Decimal("0.12683")
    assert profile.rows[0].values[3] == Decimal("0.11411")
    assert profile.rows[3].values[0] == Decimal("0.00006")


def test_the_emu_profile_starts_off_the_minute_and_keeps_its_units():
    profile, times_ = rows("61_emu_professional_P01")
    assert times_ == ["2019-11-28 15:23:24"]
    assert profile.info.period_s == 60
    assert [c.unit for c in profile.info.columns] == ["W", "A", "V", "VAR", "VAR"]
    assert profile.rows[0].values == tuple(map(Decimal, ["0.3", "0.040", "236.3", "0.0", "9.6"]))


def test_a_header_alone_is_a_profile_without_rows():
    profile, times_ = rows("63_unknown_P01_avg_energy")
    assert times_ == []
    assert f"{profile.headers[0].time:%Y-%m-%d %H:%M}" == "2021-02-01 00:00"
    assert profile.headers[0].status_raw == 0x10
    assert {c.obis.split(".")[1] for c in profile.info.columns} == {"9"}


def test_events_that_share_a_time_are_both_kept():
    log = decoded("26_emh_LZQJ_P98").log
    assert [row.code for row in log.rows] == ["00002000", "00004000", "00000100", "00000080"]
    assert log.rows[0].time == log.rows[1].time
    assert f"{log.rows[0].time:%Y-%m-%d %H:%M:%S}" == "2004-10-07 09:57:03"
    assert log.rows[3].text == "Power down"


def test_events_keep_the_meters_order_when_its_clock_was_set_back():
    log = decoded("28_metcom_MCS301_P98").log
    assert [row.code for row in log.rows] == ["4", "5", "4", "5", "17", "18"]
    assert log.rows[1].time < log.rows[0].time
    assert "1" in log.rows[4].details[0]


def test_a_row_without_a_code_belongs_to_the_code_before():
    for name, volume in (("34_iskra_MT382_DSMR2", "1.160"), ("35_kamstrup_162", "54.386")):
        header, row = (v for v in decoded(name).values if v.code == "0-1:24.3.0")
        assert header.groups[2] == "60"
        assert (row.value, row.unit) == (Decimal(volume), "m3")


def test_a_code_that_comes_twice_is_kept_twice():
    sets = [v for v in decoded("09_landisgyr_ZMD310_B24").values if v.code == "32.7.0"]
    assert [v.value for v in sets] == [Decimal("0.7"), Decimal(2)]
    assert [v.unit for v in sets] == ["V", ""]
    sets = [v for v in decoded("72_iskra_ME383").values if v.code == "1-0:1.7.0"]
    assert [(v.value, v.unit) for v in sets] == [
        (Decimal("131.72"), "kWh"),
        (Decimal("0.000"), "kW"),
    ]


def test_every_group_is_kept_in_order():
    events = next(v for v in decoded("42_kaifa_MA105_P1").values if v.code == "1-0:99.97.0")
    assert events.groups[2:4] == ("000104180320W", "0000237126*s")
    monthly = next(v for v in decoded("64_sanxing_AUX_P1_monthly").values if "98.1" in v.code)
    assert len(monthly.groups) == 20
    doubled = decoded("49_pafal_12EC3g_doubled").values
    assert doubled[0].groups == ("72044837", "72044837")
    assert doubled[-1].groups == (":::::G11", ":::::G11", "!")
    sums = [v for v in decoded("65_energomera_CE301_exchange").values if v.code == "VOLTA"]
    assert [str(v.value) for v in sums] == ["233.751", "235.418", "234.796"]


def test_remarks_tell_what_was_done_about_oddities():
    assert "echo of the request skipped" in decoded("01_landisgyr_ZMD120APt").remarks
    assert "echo of the option select skipped" in decoded("31_iskra_MT174_echo").remarks
    assert any("*kW)" in r for r in decoded("71_iskra_AM550_P1_ER_codes").remarks)
    parity = decoded("10_landisgyr_ZMD405_8bit_parity")
    assert parity.identification == "/LGZ5\\2ZMD4054459.B40"
    assert "parity bits removed in software" in parity.remarks


def test_a_written_clock_is_named_without_its_password():
    readout = decoded("69_emh_LZQJ_settime_exchange")
    assert "W5 0.9.1 answered with ACK" in readout.remarks
    assert times.parse_time("0102350") == (datetime(2000, 1, 1, 10, 23, 50).time(), 0)  # noqa: DTZ001
    assert "00000000" not in str(readout_json(readout))


def test_all_identification_lines_seen_in_the_field_parse():
    path = CORPUS / "00_identification_lines.txt"
    if not path.exists():
        pytest.skip(ABSENT)
    lines = [line.split("\t")[0] for line in path.read_text("utf-8").splitlines() if line]
    parsed = {line: frames.parse_identification(line) for line in lines}
    assert all(parsed.values())
    assert parsed["/LUGCUH50"].speed == 2400
    assert parsed["/EMH5\\@\\201LZQJL0013F"].sequences == ("@", "2")
    assert parsed["/EMH5\\@\\201LZQJL0013F"].model == "01LZQJL0013F"
    assert parsed["/KAM 685-382-QR-10"].mode == "A"
    assert parsed["/MIRE2301"].speed == 9600
    assert parsed["/ISk5MT174-0001"].reaction_s == 0.02
