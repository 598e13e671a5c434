import dataclasses
import json
from datetime import datetime
from decimal import Decimal

import pytest

from app.reports.commissioning_pdf import render
from app.reports.model import Outcome, Setting, Verdict, Waiver, outcome
from app.reports.record_json import RecordError, canonical, fingerprint, plain, restore
from app.reports.words import STYLES, RefusedText, is_sim
from tests.reports.sample_records import START


def test_the_record_comes_back_from_its_json(records):
    for record in records.values():
        data = canonical(record)
        assert restore(data) == record
        assert json.loads(data)["report"]["number"] == record.report.number


def test_numbers_keep_their_digits_and_are_never_floats():
    assert plain(Decimal("5.00")) == "5.00"
    assert plain(Decimal("1E+3")) == "1000"
    assert plain(Decimal("-0.0")) == "0.0"
    with pytest.raises(RecordError, match="float"):
        plain(1.5)
    with pytest.raises(RecordError, match="zone"):
        plain(datetime(2026, 1, 1))  # noqa: DTZ001 (a time without zone is the point)


def test_two_forms_of_one_letter_have_one_hash(records):
    record = records["pass"]
    forms = [
        dataclasses.replace(record, declaration=text)
        for text in ("Stra\u00dfe \u00e9", "Stra\u00dfe e\u0301")
    ]
    assert fingerprint(canonical(forms[0])) == fingerprint(canonical(forms[1]))


def test_json_in_another_form_is_refused(records):
    data = canonical(records["pass"])
    with pytest.raises(RecordError, match="canonical"):
        restore(json.dumps(json.loads(data), sort_keys=True).encode())
    with pytest.raises(RecordError, match="cannot be read"):
        restore(data.replace(b'"job"', b'"jab"'))


def test_the_whole_verdict_follows_the_worst_check(records):
    clean = records["pass"]
    first = clean.checks[0]

    def whole(**change):
        checks = (dataclasses.replace(first, **change), *clean.checks[1:])
        return outcome(dataclasses.replace(clean, checks=checks))

    waiver = Waiver("D. Chief", "supervisor", "Reason.", START)
    assert whole() is Outcome.PASS
    assert whole(verdict=Verdict.WARN) is Outcome.REMARKS
    assert whole(verdict=Verdict.FAIL) is Outcome.FAIL
    assert whole(verdict=Verdict.FAIL, waiver=waiver) is Outcome.REMARKS
    assert whole(verdict=Verdict.NOT_RUN) is Outcome.INCOMPLETE
    assert whole(verdict=Verdict.NOT_RUN, mandatory=False) is Outcome.PASS
    assert outcome(dataclasses.replace(clean, checks=())) is Outcome.INCOMPLETE
    wrong = (Setting("Clock", "1", "2", "1"),)
    assert outcome(dataclasses.replace(clean, settings=wrong)) is Outcome.FAIL


def test_numbers_follow_the_report_language():
    assert STYLES["en"].number(Decimal("-184302.10")) == "\u2212184\u2009302.10"
    assert STYLES["de"].number(Decimal("1234.5")) == "1234,5"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("अशोक", "Devanagari"),
        ("أحمد", "Arabic"),
        ("דוד", "Hebrew"),
        ("ሰላም", "Ethiopic"),
        ("ทดสอบ", "Thai"),
        ("電力", "script"),
        ("x\u0301", "combining"),
        ("a\x07b", "control"),
        ("\u2ff0", "fonts"),
    ],
)
def test_text_that_cannot_be_set_rightly_is_refused_in_words(records, pictures, text, word):
    record = records["pass"]
    customer = dataclasses.replace(record.customer, name=text)
    with pytest.raises(RefusedText, match=word) as caught:
        render(dataclasses.replace(record, customer=customer), pictures[1])
    assert "customer, name" in str(caught.value)


def test_greek_cyrillic_and_accents_are_set(records, pictures):
    record = records["pass"]
    customer = dataclasses.replace(record.customer, name="Łódź, Straße, Ελλάδα, Київ, Ştefan, µΩ")
    assert render(dataclasses.replace(record, customer=customer), pictures[1])


@pytest.mark.parametrize("text", ["7063 1144 2299 0011 6114", "70631144229900116114", "ab" * 16])
def test_a_whole_token_or_key_is_refused(records, pictures, text):
    record = records["prepayment"]
    token = dataclasses.replace(record.prepayment.tokens[0], result=f"accepted {text}")
    prepayment = dataclasses.replace(record.prepayment, tokens=(token,))
    with pytest.raises(RefusedText, match=r"token|key"):
        render(dataclasses.replace(record, prepayment=prepayment), pictures[1])


def test_a_sim_number_of_twenty_digits_is_no_token(records, pictures):
    sim = "89882110000001234568"
    assert is_sim(sim)
    record = records["pass"]
    talk = dataclasses.replace(record.communication, sim=sim)
    assert render(dataclasses.replace(record, communication=talk), pictures[1])
    with pytest.raises(RefusedText, match="token"):
        render(dataclasses.replace(record, declaration=sim), pictures[1])
