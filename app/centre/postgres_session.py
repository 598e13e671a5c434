"""The calls of one laptop on a PostgreSQL centre: functions that ask ``session_user``."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.centre.contract import (
    SCHEMA_MAX,
    SCHEMA_MIN,
    BlobFact,
    Envelope,
    Hello,
    Mail,
)
from app.centre.wire import Wire, array

_PUSH = (
    "select api.push(cast(:v0 as int4), cast(:v1 as int8[]), cast(:v2 as text[]),"
    " cast(:v3 as text[]), cast(:v4 as int8[]), cast(:v5 as text[]), cast(:v6 as int8[]),"
    " cast(:v7 as text[]), cast(:v8 as text[]), cast(:v9 as timestamptz[]), cast(:v10 as int8[]),"
    " cast(:v11 as text[]), cast(:v12 as int8[]), cast(:v13 as float8[]))"
)


class PostgresSession:
    """What the laptop of this login may do; see `app.centre.contract.CentreSession`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def hello(
        self, client_build: str, schema_v: int, incarnation: int, local_max_seq: int
    ) -> Hello:
        """Greet; learn how far the centre is."""
        said = self._wire.call(
            "select api.hello(cast(:v0 as text), cast(:v1 as int4), cast(:v2 as int4),"
            " cast(:v3 as int8))",
            client_build,
            schema_v,
            incarnation,
            local_max_seq,
        )
        return Hello(
            centre_id=said["centre_id"],
            generation=said["generation"],
            last_seqs={int(number): seq for number, seq in said["last_seqs"].items()},
            mail_head=said["mail_head"],
            server_time=datetime.fromisoformat(said["server_time"]),
            schema_min=SCHEMA_MIN,
            schema_max=SCHEMA_MAX,
        )

    def push(self, incarnation: int, batch: Sequence[Envelope]) -> int:
        """Store a batch in one statement and return the last number stored."""
        upto: int = self._wire.call(
            _PUSH,
            incarnation,
            array(e.seq for e in batch),
            array(e.event_id for e in batch),
            array(e.order_id for e in batch),
            array(e.epoch for e in batch),
            array(e.kind for e in batch),
            array(e.schema_v for e in batch),
            array(e.body for e in batch),
            array(e.sha256 for e in batch),
            array(e.wall.isoformat() for e in batch),
            array(e.mono_ns for e in batch),
            array(e.boot_id for e in batch),
            array(e.hlc for e in batch),
            array(e.offset_s for e in batch),
        )
        return upto

    def pull(self, after_mail: int, count: int) -> Sequence[Mail]:
        """Return up to ``count`` letters after number ``after_mail``."""
        rows = self._wire.query(
            "select seq, kind, order_id, body from api.pull(cast(:v0 as int8), cast(:v1 as int4))"
            " order by seq",
            after_mail,
            count,
        )
        return [Mail(*row) for row in rows]

    def ack(self, mail_seq: int) -> None:
        """Say that all mail up to this number is applied."""
        self._wire.query("select api.ack(cast(:v0 as int8))", mail_seq)

    def new_incarnation(self) -> int:
        """Return the next incarnation number of this laptop and raise the alarm at the centre."""
        number: int = self._wire.call("select api.new_incarnation()")
        return number

    def own_events(
        self, incarnation: int, after_seq: int, count: int
    ) -> Sequence[tuple[Envelope, str]]:
        """Return what this laptop has sent, with verdicts; for a disk that was put back."""
        rows = self._wire.query(
            "select seq, event_id, order_id, epoch, kind, schema_v, body, sha256, wall, mono_ns,"
            " boot_id, hlc, offset_s, verdict from api.own_events(cast(:v0 as int4),"
            " cast(:v1 as int8), cast(:v2 as int4)) order by seq",
            incarnation,
            after_seq,
            count,
        )
        found = []
        for *values, verdict in rows:
            values[8] = datetime.fromisoformat(values[8])
            found.append((Envelope(*values), str(verdict)))
        return found

    def blob_missing(self, wanted: Sequence[BlobFact]) -> Mapping[str, int]:
        """Return, for each file that is not complete at the centre, where to go on sending."""
        if not wanted:
            return {}
        rows = self._wire.query(
            "select sha256, held from api.blob_missing(cast(:v0 as text[]), cast(:v1 as int8[]),"
            " cast(:v2 as text[]))",
            array(fact.sha256 for fact in wanted),
            array(fact.size for fact in wanted),
            array(fact.mime for fact in wanted),
        )
        return {row[0]: row[1] for row in rows}

    def blob_put(self, sha256: str, offset: int, data: bytes) -> int:
        """Store one chunk; return how many bytes the centre holds now."""
        held: int = self._wire.call(
            "select api.blob_put(cast(:v0 as text), cast(:v1 as int8), cast(:v2 as bytea))",
            sha256,
            offset,
            data,
        )
        return held

    def close(self) -> None:
        """Let go of the connection."""
        self._wire.close()
