-- A batch of events: judged, folded and stored in one transaction, with the device row locked.

create function api.push(
  p_inc int, p_seq int8[], p_event text[], p_order text[], p_epoch int8[], p_kind text[],
  p_schema int8[], p_body text[], p_sha text[], p_wall timestamptz[], p_mono int8[],
  p_boot text[], p_hlc int8[], p_offset float8[]) returns int8
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  d mw.device;
  n int := coalesce(array_length(p_seq, 1), 0);
  size int8;
  last int8;
  hashes bytea[];
  bodies jsonb[];
  stored jsonb := '{}';
  known jsonb := '{}';
  doubled bool;
  verdicts text[] := '{}';
  now_ timestamptz := clock_timestamp();
  today date := (clock_timestamp() at time zone 'utc')::date;
  o mw.work_order; after_ mw.work_order; o_id text; dirty bool := false;
  e record; v text; head int8;
begin
  d := mw.admit();
  select coalesce(sum(length(x)), 0) into size from unnest(p_body) x;
  -- One event alone is taken whatever its size: a fact must never block the queue.
  if n > 500 or (n > 1 and size > 4000000) then
    raise exception '% events, % characters', n, size using errcode = 'MW003';
  end if;
  perform mw.spend(d, n, size);
  -- Unknown after a restore from an older backup: it starts at zero, the laptop sends again.  That
  -- it had to take new numbers was lost too, and is told again.
  insert into mw.incarnation (tenant_id, device_id, incarnation, alarm)
  values (d.tenant_id, d.device_id, p_inc, case when p_inc > 1 then
          'numbers used twice: cloned laptop or old disk image' else '' end)
  on conflict do nothing;
  select last_seq into last from mw.incarnation
   where tenant_id = d.tenant_id and device_id = d.device_id and incarnation = p_inc;

  -- Never trust the hash that was sent.
  select array_agg(mw.event_hash(x.ev, x.ord, x.ep, x.ki, x.sc, x.bo) order by x.i) into hashes
    from unnest(p_event, p_order, p_epoch, p_kind, p_schema, p_body) with ordinality
      as x(ev, ord, ep, ki, sc, bo, i);
  if p_seq[1] <= last then
    select coalesce(jsonb_object_agg(x.seq, encode(x.sha256, 'hex')), '{}') into stored
      from mw.event x
     where x.tenant_id = d.tenant_id and x.device_id = d.device_id and x.incarnation = p_inc
       and x.seq = any (p_seq);
  end if;
  select coalesce(jsonb_object_agg(x.event_id, encode(x.sha256, 'hex')), '{}') into known
    from mw.event x where x.tenant_id = d.tenant_id and x.event_id = any (p_event);
  select count(distinct x) < n into doubled from unnest(p_event) x;
  -- All bodies at once; only a batch with one that cannot be read is parsed one by one.
  begin
    select array_agg(case when jsonb_typeof(x.bo::jsonb) = 'object' then x.bo::jsonb end order by x.i)
      into bodies from unnest(p_body) with ordinality as x(bo, i);
  exception when others then
    select array_agg(mw.parsed(x.bo) order by x.i) into bodies
      from unnest(p_body) with ordinality as x(bo, i);
  end;
  perform 1 from mw.work_order x
   where x.tenant_id = d.tenant_id and x.order_id = any (p_order) order by x.order_id for update;

  for e in
    select * from unnest(p_seq, p_event, p_order, p_epoch, p_kind, p_schema, p_body, p_sha, p_wall,
                         hashes, bodies)
      with ordinality as x(seq, event_id, order_id, epoch, kind, schema_v, body, sha, wall,
                           hash, b, i) order by i
  loop
    if e.seq <= last then
      if stored ->> e.seq::text is distinct from encode(e.hash, 'hex') then
        raise exception 'SEQ_REUSED' using errcode = 'MW001', detail = e.seq::text;
      end if;
      verdicts := verdicts || null::text;
      continue;
    end if;
    if e.seq <> last + 1 then
      raise exception 'GAP' using errcode = 'MW002', detail = (last + 1)::text;
    end if;
    if o_id is distinct from e.order_id then
      if dirty then perform mw.save(o); dirty := false; end if;
      select * into o from mw.work_order x
       where x.tenant_id = d.tenant_id and x.order_id = e.order_id;
      o_id := e.order_id;
    end if;
    v := mw.judge(o, d.device_id, e.order_id, e.epoch, e.kind, e.schema_v,
                  case when e.sha = encode(e.hash, 'hex') then e.b end);
    if known ? e.event_id then
      -- Renumbered and sent once more by an old disk image: the fact is in the log already.
      v := case when known ->> e.event_id = encode(e.hash, 'hex') then 'duplicate_result'
                else 'invalid' end;
    end if;
    if doubled then
      known := known || jsonb_build_object(e.event_id, encode(e.hash, 'hex'));
    end if;
    if v = 'applied' and e.order_id <> ''
       and e.kind in ('order.imported', 'order.state', 'order.done') then
      after_ := mw.folded(o, d.tenant_id, d.device_id, e.order_id, e.epoch, e.kind, e.b, e.body,
                          e.wall);
      if e.kind = 'order.imported' and mw.reference_taken(after_) then
        v := 'conflict';
      elsif after_ is distinct from o then
        o := after_; dirty := true;
      end if;
    end if;
    verdicts := verdicts || v;
    last := e.seq;
  end loop;
  if dirty then perform mw.save(o); end if;

  insert into mw.event (tenant_id, received_on, device_id, incarnation, seq, event_id, order_id,
      epoch, kind, schema_v, body, sha256, wall, mono_ns, boot_id, hlc, offset_s, verdict,
      received_at, position)
  select d.tenant_id, today, d.device_id, p_inc, x.seq, x.event_id, x.order_id, x.epoch, x.kind,
      x.schema_v, x.body, x.hash, x.wall, x.mono_ns, x.boot_id, x.hlc, x.offset_s, x.verdict, now_,
      nextval('mw.event_position')
    from (select * from unnest(p_seq, p_event, p_order, p_epoch, p_kind, p_schema, p_body, hashes,
                               p_wall, p_mono, p_boot, p_hlc, p_offset, verdicts)
            with ordinality as y(seq, event_id, order_id, epoch, kind, schema_v, body, hash, wall,
                                 mono_ns, boot_id, hlc, offset_s, verdict, i)
           where verdict is not null order by i) x;
  update mw.incarnation set last_seq = last
   where tenant_id = d.tenant_id and device_id = d.device_id and incarnation = p_inc;

  if exists (select from unnest(p_kind) k where k = 'profile.segment') then
    insert into mw.reading_todo
    select d.tenant_id, x.position from mw.event x
     where x.tenant_id = d.tenant_id and x.device_id = d.device_id and x.incarnation = p_inc
       and x.received_on = today and x.received_at = now_ and x.seq = any (p_seq)
       and x.kind = 'profile.segment' and x.verdict <> 'invalid';
  end if;
  if exists (select from unnest(verdicts) x where x <> 'applied') then
    insert into mw.review (tenant_id, position, received_on, device_id, incarnation, seq, event_id,
                           order_id, verdict, opened)
    select x.tenant_id, x.position, x.received_on, x.device_id, x.incarnation, x.seq, x.event_id,
           x.order_id, x.verdict, now_
      from mw.event x
     where x.tenant_id = d.tenant_id and x.device_id = d.device_id and x.incarnation = p_inc
       and x.received_on = today and x.received_at = now_ and x.seq = any (p_seq)
       and x.verdict <> 'applied';
    select mail_head into head from mw.device
     where tenant_id = d.tenant_id and device_id = d.device_id;
    insert into mw.mail (tenant_id, device_id, seq, kind, order_id, body)
    select d.tenant_id, d.device_id, head + row_number() over (order by x.i), 'verdict', x.order_id,
           '{"event_id":' || to_json(x.event_id)::text || ',"verdict":"' || x.verdict || '"}'
      from unnest(p_event, p_order, verdicts) with ordinality as x(event_id, order_id, verdict, i)
     where x.verdict <> 'applied';
    update mw.device
       set mail_head = head + (select count(*) from unnest(verdicts) x where x <> 'applied')
     where tenant_id = d.tenant_id and device_id = d.device_id;
  end if;
  return last;
exception when unique_violation then
  -- Another laptop brought the same order or reference at this moment: come again, then it shows.
  raise exception 'another laptop was faster' using errcode = '40001';
end $$;
