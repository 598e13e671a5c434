"""The calls of one laptop on a SQLite centre; the host is trusted, there is no row security."""

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from app.centre.contract import (
    CHUNK,
    MAX_BYTES,
    MAX_EVENTS,
    SCHEMA_MAX,
    SCHEMA_MIN,
    BlobFact,
    Envelope,
    Gap,
    Hello,
    Mail,
    Oversize,
    SeqReused,
)
from app.centre.fold import computed_hash
from app.centre.ledger import Ledger
from app.centre.store import Store, admit, mail_after
from app.centre.tables import BLOB, BLOB_CHUNK, CENTRE, DEVICE, EVENT, INCARNATION
from app.errors import CentreRefused
from app.models.base import utc_now

# Written once: making a statement costs more than running it, and every session runs these.
_OWN = DEVICE.c.device_id == bindparam("who")
_SEEN = update(DEVICE).where(_OWN)
_BEHIND = update(INCARNATION).where(
    INCARNATION.c.device_id == bindparam("who"),
    INCARNATION.c.incarnation == bindparam("number"),
    INCARNATION.c.last_seq > bindparam("highest"),
)
_CENTRE = select(CENTRE)
_LAST_SEQS = select(INCARNATION.c.incarnation, INCARNATION.c.last_seq).where(
    INCARNATION.c.device_id == bindparam("who")
)
_ACKED = (
    update(DEVICE)
    .where(_OWN)
    .values(
        mail_acked=func.min(func.max(DEVICE.c.mail_acked, bindparam("upto")), DEVICE.c.mail_head)
    )
)


class SqliteSession:
    """What laptop ``device_id`` may do; see `app.centre.contract.CentreSession`."""

    def __init__(self, store: Store, device_id: str) -> None:
        self._store = store
        self._device_id = device_id

    def hello(
        self,
        client_build: str,
        schema_v: int,  # noqa: ARG002 - newer bodies are stored as unknown, older ones are read
        incarnation: int,
        local_max_seq: int,
    ) -> Hello:
        """Greet; learn how far the centre is."""
        now = utc_now()
        with self._store.write() as connection:
            device = admit(connection, self._device_id)
            who = {"who": self._device_id}
            connection.execute(_SEEN, {**who, "client_build": client_build, "last_seen": now})
            # A laptop that is behind its own numbers runs from an old disk image, or is a clone.
            behind = {"number": incarnation, "highest": local_max_seq}
            alarm = f"the laptop was back at number {local_max_seq}"
            connection.execute(_BEHIND, {**who, **behind, "alarm": alarm})
            centre = connection.execute(_CENTRE).mappings().one()
            last_seqs = connection.execute(_LAST_SEQS, who)
            return Hello(
                centre_id=centre["centre_id"],
                generation=centre["generation"],
                last_seqs=dict(last_seqs.all()),
                mail_head=device["mail_head"],
                server_time=now,
                schema_min=SCHEMA_MIN,
                schema_max=SCHEMA_MAX,
            )

    def push(self, incarnation: int, batch: Sequence[Envelope]) -> int:
        """Store a batch in one transaction and return the last number stored."""
        size = sum(len(envelope.body) for envelope in batch)
        # One event alone is taken whatever its size: a fact must never block the queue.
        if len(batch) > MAX_EVENTS or (len(batch) > 1 and size > MAX_BYTES):
            raise Oversize(f"{len(batch)} events, {size} characters")
        with self._store.write() as connection:
            admit(connection, self._device_id)
            last = self._last(connection, incarnation)
            stored = self._stored(connection, incarnation, batch)
            ledger = Ledger(connection, self._device_id, incarnation, batch)
            for envelope in batch:
                sha256 = computed_hash(envelope)
                if envelope.seq <= last:
                    if stored.get(envelope.seq) != sha256:
                        raise SeqReused(envelope.seq)
                    continue
                if envelope.seq != last + 1:
                    raise Gap(last + 1)
                ledger.take(envelope, sha256)
                last = envelope.seq
            ledger.close()
            connection.execute(
                update(INCARNATION)
                .where(
                    INCARNATION.c.device_id == self._device_id,
                    INCARNATION.c.incarnation == incarnation,
                )
                .values(last_seq=last)
            )
        return last

    def pull(self, after_mail: int, count: int) -> Sequence[Mail]:
        """Return up to ``count`` letters after number ``after_mail``."""
        with self._store.read() as connection:
            admit(connection, self._device_id)
            return mail_after(connection, self._device_id, after_mail, count)

    def ack(self, mail_seq: int) -> None:
        """Say that all mail up to this number is applied."""
        with self._store.write() as connection:
            admit(connection, self._device_id)
            connection.execute(_ACKED, {"who": self._device_id, "upto": mail_seq})

    def new_incarnation(self) -> int:
        """Return the next incarnation number of this laptop and raise the alarm at the centre."""
        with self._store.write() as connection:
            admit(connection, self._device_id)
            highest = connection.execute(
                select(func.max(INCARNATION.c.incarnation)).where(
                    INCARNATION.c.device_id == self._device_id
                )
            ).scalar()
            number = int(highest or 0) + 1
            connection.execute(
                insert(INCARNATION).values(
                    device_id=self._device_id,
                    incarnation=number,
                    alarm="numbers used twice: cloned laptop or old disk image",
                    begun=utc_now(),
                )
            )
        return number

    def own_events(
        self, incarnation: int, after_seq: int, count: int
    ) -> Sequence[tuple[Envelope, str]]:
        """Return what this laptop has sent, with verdicts; for a disk that was put back."""
        with self._store.read() as connection:
            admit(connection, self._device_id)
            rows = connection.execute(
                select(EVENT.c.verdict, *(EVENT.c[name] for name in Envelope.__slots__))
                .where(
                    EVENT.c.device_id == self._device_id,
                    EVENT.c.incarnation == incarnation,
                    EVENT.c.seq > after_seq,
                )
                .order_by(EVENT.c.seq)
                .limit(min(count, MAX_EVENTS))
            ).all()
        return [(Envelope(*row[1:]), row[0]) for row in rows]

    def blob_missing(self, wanted: Sequence[BlobFact]) -> Mapping[str, int]:
        """Return, for each file that is not complete at the centre, where to go on sending."""
        missing: dict[str, int] = {}
        with self._store.write() as connection:
            admit(connection, self._device_id)
            for fact in wanted:
                row = (
                    connection.execute(select(BLOB).where(BLOB.c.sha256 == fact.sha256))
                    .mappings()
                    .first()
                )
                if row is not None and row["complete"]:
                    continue
                if row is None or row["size"] != fact.size:
                    self._begin_blob(connection, fact)
                missing[fact.sha256] = row["received"] if row and row["size"] == fact.size else 0
        return missing

    def blob_put(self, sha256: str, offset: int, data: bytes) -> int:
        """Store one chunk; return how many bytes the centre holds now."""
        with self._store.write() as connection:
            admit(connection, self._device_id)
            blob = (
                connection.execute(select(BLOB).where(BLOB.c.sha256 == sha256)).mappings().first()
            )
            if blob is None:
                raise CentreRefused(f"file {sha256} was not announced")
            if blob["complete"]:
                return int(blob["size"])
            if offset != blob["received"]:
                return int(blob["received"])
            held = offset + len(data)
            if held > blob["size"] or (len(data) != CHUNK and held != blob["size"]):
                raise CentreRefused(f"file {sha256}: {len(data)} bytes at {offset} do not fit")
            connection.execute(
                insert(BLOB_CHUNK).values(sha256=sha256, ix=offset // CHUNK, data=data)
            )
            complete = held == blob["size"]
            if complete and self._hash(connection, sha256) != sha256:
                self._begin_blob(connection, BlobFact(sha256, blob["size"], blob["mime"]))
                return 0
            connection.execute(
                update(BLOB).where(BLOB.c.sha256 == sha256).values(received=held, complete=complete)
            )
        return held

    def close(self) -> None:
        """Let go of connections."""
        self._store.close()

    def _last(self, connection: Connection, incarnation: int) -> int:
        # Unknown after a restore from an older backup: it starts at zero, the laptop sends again.
        connection.execute(
            upsert(INCARNATION)
            .values(device_id=self._device_id, incarnation=incarnation, begun=utc_now())
            .on_conflict_do_nothing()
        )
        last: int = connection.execute(
            select(INCARNATION.c.last_seq).where(
                INCARNATION.c.device_id == self._device_id,
                INCARNATION.c.incarnation == incarnation,
            )
        ).scalar_one()
        return last

    def _stored(
        self, connection: Connection, incarnation: int, batch: Sequence[Envelope]
    ) -> dict[int, str]:
        rows = connection.execute(
            select(EVENT.c.seq, EVENT.c.sha256).where(
                EVENT.c.device_id == self._device_id,
                EVENT.c.incarnation == incarnation,
                EVENT.c.seq.in_([envelope.seq for envelope in batch]),
            )
        )
        return dict(rows.all())

    def _begin_blob(self, connection: Connection, fact: BlobFact) -> None:
        connection.execute(BLOB_CHUNK.delete().where(BLOB_CHUNK.c.sha256 == fact.sha256))
        connection.execute(BLOB.delete().where(BLOB.c.sha256 == fact.sha256))
        connection.execute(insert(BLOB).values(sha256=fact.sha256, size=fact.size, mime=fact.mime))

    def _hash(self, connection: Connection, sha256: str) -> str:
        whole = hashlib.sha256()
        chunks = connection.execute(
            select(BLOB_CHUNK.c.data)
            .where(BLOB_CHUNK.c.sha256 == sha256)
            .order_by(BLOB_CHUNK.c.ix)
            .execution_options(yield_per=8)
        )
        for (data,) in chunks:
            whole.update(data)
        return whole.hexdigest()
