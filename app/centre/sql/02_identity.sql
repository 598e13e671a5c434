-- Who is calling.  Always session_user: a setting can be made by any client, and current_user is
-- the owner inside a SECURITY DEFINER function.

create function api.me() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as
$$ select device_id from mw.device where pg_role = session_user and not revoked $$;

create function api.my_tenant() returns text
language sql stable security definer set search_path = pg_catalog, pg_temp as
$$ select coalesce(
     (select tenant_id from mw.device where pg_role = session_user and not revoked),
     (select tenant_id from mw.person where pg_role = session_user and active)) $$;

create function api.my_areas() returns text[]
language sql stable security definer set search_path = pg_catalog, pg_temp as
$$ select areas from mw.person where pg_role = session_user and active $$;

-- The caller's device row, locked: two sessions of one laptop wait for each other.
create function mw.admit() returns mw.device
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare d mw.device;
begin
  select * into d from mw.device where pg_role = session_user for update;
  if not found then
    raise exception 'this laptop is not enrolled at the centre' using errcode = 'MW004';
  end if;
  if d.revoked then
    raise exception 'this laptop, %, was revoked at the centre', d.device_id using errcode = 'MW004';
  end if;
  return d;
end $$;

-- Count against the day's quota; a laptop over it is told to come back, nothing is lost.
create function mw.spend(d mw.device, p_events int8, p_bytes int8) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare today date := (now() at time zone 'utc')::date; quota mw.centre;
begin
  select * into quota from mw.centre;
  if d.used_on is distinct from today then d.used_events := 0; d.used_bytes := 0; end if;
  if d.used_events + p_events > quota.events_per_day
     or d.used_bytes + p_bytes > quota.bytes_per_day then
    raise exception 'the daily quota of this laptop is used up' using errcode = '53400';
  end if;
  update mw.device set used_on = today, used_events = d.used_events + p_events,
    used_bytes = d.used_bytes + p_bytes
  where tenant_id = d.tenant_id and device_id = d.device_id;
end $$;

-- A letter.  The number is taken from the device's own row, in the transaction that causes the
-- mail: no gaps, and in the order of commits.
create function mw.post(p_tenant text, p_device text, p_kind text, p_order text, p_body text)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare n int8;
begin
  update mw.device set mail_head = mail_head + 1
   where tenant_id = p_tenant and device_id = p_device returning mail_head into n;
  if n is not null then
    insert into mw.mail (tenant_id, device_id, seq, kind, order_id, body)
    values (p_tenant, p_device, n, p_kind, p_order, p_body);
  end if;
end $$;

create function api.hello(p_build text, p_schema int, p_inc int, p_max int8) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d mw.device; c mw.centre;
begin
  d := mw.admit();
  select * into c from mw.centre;
  update mw.device set client_build = left(p_build, 100), last_seen = clock_timestamp()
   where tenant_id = d.tenant_id and device_id = d.device_id;
  -- A laptop that is behind its own numbers runs from an old disk image, or is a clone.
  update mw.incarnation set alarm = 'the laptop was back at number ' || p_max
   where tenant_id = d.tenant_id and device_id = d.device_id
     and incarnation = p_inc and last_seq > p_max;
  return jsonb_build_object(
    'centre_id', c.centre_id, 'generation', c.generation, 'mail_head', d.mail_head,
    'server_time', to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'last_seqs', (select coalesce(jsonb_object_agg(incarnation, last_seq), '{}') from mw.incarnation
                   where tenant_id = d.tenant_id and device_id = d.device_id));
end $$;

create function api.new_incarnation() returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d mw.device; n int;
begin
  d := mw.admit();
  select coalesce(max(incarnation), 0) + 1 into n from mw.incarnation
   where tenant_id = d.tenant_id and device_id = d.device_id;
  insert into mw.incarnation (tenant_id, device_id, incarnation, alarm)
  values (d.tenant_id, d.device_id, n, 'numbers used twice: cloned laptop or old disk image');
  return n;
end $$;

create function api.pull(p_after int8, p_count int)
returns table (seq int8, kind text, order_id text, body text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d mw.device;
begin
  d := mw.admit();
  return query select m.seq, m.kind, m.order_id, m.body from mw.mail m
   where m.tenant_id = d.tenant_id and m.device_id = d.device_id and m.seq > p_after
   order by m.seq limit least(p_count, 1000);
end $$;

create function api.ack(p_seq int8) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d mw.device;
begin
  d := mw.admit();
  update mw.device set mail_acked = least(greatest(mail_acked, p_seq), mail_head)
   where tenant_id = d.tenant_id and device_id = d.device_id;
end $$;

-- What this laptop has sent, for one whose disk was put back.
create function api.own_events(p_inc int, p_after int8, p_count int)
returns table (seq int8, event_id text, order_id text, epoch int8, kind text, schema_v int8,
               body text, sha256 text, wall text, mono_ns int8, boot_id text, hlc int8,
               offset_s float8, verdict text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d mw.device;
begin
  d := mw.admit();
  return query select e.seq, e.event_id, e.order_id, e.epoch, e.kind, e.schema_v, e.body,
      encode(e.sha256, 'hex'),
      to_char(e.wall at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
      e.mono_ns, e.boot_id, e.hlc, e.offset_s, e.verdict
    from mw.event e
   where e.tenant_id = d.tenant_id and e.device_id = d.device_id and e.incarnation = p_inc
     and e.seq > p_after
   order by e.seq limit least(p_count, 500);
end $$;
