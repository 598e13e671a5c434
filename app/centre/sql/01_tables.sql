-- The tables of a centre in PostgreSQL.  Tenant first in every key; events and readings by month.

create table mw.centre (
  one bool primary key default true check (one),
  centre_id text not null default gen_random_uuid()::text,
  generation int8 not null default 1,
  version int not null,
  schema_max int8 not null default 0,
  events_per_day int8 not null default 200000,       -- a laptop's quota
  bytes_per_day int8 not null default 4000000000
);
create table mw.kind (kind text primary key);   -- the kinds of event this version knows
create table mw.device (
  tenant_id text not null, device_id text not null, name text not null default '',
  pg_role name unique, mail_head int8 not null default 0, mail_acked int8 not null default 0,
  revoked bool not null default false, client_build text not null default '', last_seen timestamptz,
  used_on date, used_events int8 not null default 0, used_bytes int8 not null default 0,
  primary key (tenant_id, device_id)
);
create table mw.person (
  tenant_id text not null, name text not null, pg_role name unique not null, role text not null,
  areas text[] not null default '{}', active bool not null default true,
  primary key (tenant_id, name)
);
create table mw.incarnation (
  tenant_id text not null, device_id text not null, incarnation int not null,
  last_seq int8 not null default 0, alarm text not null default '',
  begun timestamptz not null default clock_timestamp(),
  primary key (tenant_id, device_id, incarnation)
);

-- The order of arrival.  A number is drawn while the rows of its orders are locked, so the events
-- of one order are folded again in the order in which they were folded first.
create sequence mw.event_position;
create table mw.event (
  tenant_id text not null, received_on date not null, device_id text not null,
  incarnation int not null, seq int8 not null,
  position int8 not null default nextval('mw.event_position'),
  event_id text not null, order_id text not null, epoch int8 not null, kind text not null,
  schema_v int8 not null, body text not null, sha256 bytea not null, wall timestamptz not null,
  mono_ns int8 not null, boot_id text not null, hlc int8 not null, offset_s float8,
  verdict text not null, received_at timestamptz not null,
  primary key (tenant_id, device_id, incarnation, seq, received_on)
) partition by range (received_on);
create index event_by_name on mw.event (tenant_id, event_id);
create index event_by_order on mw.event (tenant_id, order_id);
create index event_by_position on mw.event (position);
create table mw.event_default partition of mw.event default;

create table mw.review (
  tenant_id text not null, position int8 not null, received_on date not null,
  device_id text not null, incarnation int not null, seq int8 not null, event_id text not null,
  order_id text not null, verdict text not null, opened timestamptz not null, closed timestamptz,
  closed_by text not null default '', decision text not null default '',
  reason text not null default '',
  primary key (tenant_id, position)
);
create index review_open on mw.review (tenant_id, position) where closed is null;
create table mw.mail (
  tenant_id text not null, device_id text not null, seq int8 not null, kind text not null,
  order_id text not null, body text not null, posted timestamptz not null default clock_timestamp(),
  primary key (tenant_id, device_id, seq)
);
-- The columns after tenant_id are those of CentreOrder, in its order.
create table mw.work_order (
  tenant_id text not null, order_id text not null, number text not null, source text not null,
  external_ref text, kind text not null, title text not null, state text not null,
  queue text not null, area text not null, assignee text not null, epoch int8 not null,
  revision int8 not null, priority int8 not null, due text not null, completed bool not null,
  verdict text not null, report_sha256 text not null, worker text not null, ended text not null,
  approved_by text not null, body text not null,
  primary key (tenant_id, order_id), unique (tenant_id, source, external_ref)
);
create index work_order_open on mw.work_order (tenant_id, queue, state, priority, due)
  where state not in ('approved', 'exported', 'closed', 'cancelled', 'superseded');
create index work_order_assignee on mw.work_order (tenant_id, assignee)
  where state not in ('approved', 'exported', 'closed', 'cancelled', 'superseded');
create index work_order_number on mw.work_order (tenant_id, number);
create index work_order_state on mw.work_order (tenant_id, state);

-- A file belongs to the laptop that sends it until it is whole: nobody can spoil another's upload.
create table mw.blob (
  tenant_id text not null, sha256 text not null, device_id text not null, size int8 not null,
  mime text not null, received int8 not null default 0, complete bool not null default false,
  announced timestamptz not null default clock_timestamp(),
  primary key (tenant_id, sha256, device_id)
);
create table mw.blob_chunk (
  tenant_id text not null, sha256 text not null, device_id text not null, ix int not null,
  data bytea not null,
  primary key (tenant_id, sha256, device_id, ix)
);
alter table mw.blob_chunk alter column data set storage external;  -- photos do not shrink

create table mw.meter (
  tenant_id text not null, meter_id int8 generated always as identity, serial text not null,
  primary key (tenant_id, meter_id), unique (tenant_id, serial)
);
create table mw.channel (
  channel_id int2 generated always as identity primary key, obis text not null,
  attribute int2 not null, unit text not null, unique (obis, attribute, unit)
);
-- One row a meter, channel, day and unbroken run: value[i] = v0 + sum(delta[1..i]), NULL is a gap.
create table mw.reading_day (
  tenant_id text not null, meter_id int8 not null, channel_id int2 not null, day date not null,
  capture_id uuid not null, first_s int4 not null, step_s int4 not null, v0 int8 not null,
  delta int4[] not null, status int4[], scaler int2 not null,
  primary key (tenant_id, meter_id, channel_id, day, capture_id, first_s)
) partition by range (day);
create index reading_day_brin on mw.reading_day using brin (day);
create table mw.reading_day_default partition of mw.reading_day default;
create table mw.reading_todo (          -- profile events whose readings are not in reading_day yet
  tenant_id text not null, position int8 not null, primary key (tenant_id, position)
);

-- Make the monthly partition of a table that holds `day`; false when it was there.
create function mw.month_partition(p_table text, p_day date) returns bool
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  m date := date_trunc('month', p_day)::date;
  part text := p_table || '_' || to_char(m, 'YYYYMM');
begin
  if to_regclass('mw.' || part) is not null then return false; end if;
  execute format('create table mw.%I partition of mw.%I for values from (%L) to (%L)',
                 part, p_table, m, (m + interval '1 month')::date);
  execute format('alter table mw.%I enable row level security', part);
  return true;
end $$;

-- Months from now on; not in the way when rows lie in the default partition already.
create function mw.partitions_ahead(p_months int) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare made int := 0; k int;
begin
  for k in 0..p_months loop
    begin
      made := made
        + mw.month_partition('event', ((now() at time zone 'utc') + make_interval(months => k))::date)::int
        + mw.month_partition('reading_day', ((now() at time zone 'utc') + make_interval(months => k))::date)::int;
    exception when check_violation then
      null;   -- rows of that month wait in the default partition; the state page tells
    end;
  end loop;
  return made;
end $$;
