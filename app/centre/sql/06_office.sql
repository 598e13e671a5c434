-- Acts of the office: written to the log as events of the device "centre", then folded.

-- Who acts: a person's own login says who, whatever the call says; the owner's members are trusted.
create function mw.actor(p_who text, p_role text) returns mw.person
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare p mw.person;
begin
  select * into p from mw.person where pg_role = session_user and active;
  if found then return p; end if;
  if not pg_has_role(session_user, 'mw_owner', 'member') then
    raise exception 'this login is nobody of the office' using errcode = 'MW007';
  end if;
  p.tenant_id := 'main'; p.name := p_who; p.role := p_role; p.areas := '{}';
  return p;
end $$;

create function mw.own_event(p_tenant text, p_order text, p_epoch int8, p_kind text, b jsonb)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare n int8; id text := gen_random_uuid()::text;
begin
  insert into mw.incarnation (tenant_id, device_id, incarnation)
  values (p_tenant, 'centre', 1) on conflict do nothing;
  update mw.incarnation set last_seq = last_seq + 1
   where tenant_id = p_tenant and device_id = 'centre' and incarnation = 1 returning last_seq into n;
  insert into mw.event (tenant_id, received_on, device_id, incarnation, seq, event_id, order_id,
      epoch, kind, schema_v, body, sha256, wall, mono_ns, boot_id, hlc, verdict, received_at)
  values (p_tenant, (clock_timestamp() at time zone 'utc')::date, 'centre', 1, n, id, p_order,
      p_epoch, p_kind, 1, b::text, mw.event_hash(id, p_order, p_epoch, p_kind, 1, b::text),
      clock_timestamp(), 0, '', 0, 'applied', clock_timestamp());
end $$;

create function mw.refuse(p_code text, p_words text) returns void language plpgsql as $$
begin raise exception '%', p_words using errcode = p_code; end $$;

create function api.act(p_kind text, p_order text, p_who text, p_role text, p_device text,
                        p_reason text, p_steps text[], p_item int8, p_decision text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  p mw.person := mw.actor(p_who, p_role);
  o mw.work_order; before_ text; target mw.device; r mw.review; ev mw.event;
  b jsonb; step int8; name_ text; inner_ jsonb; to_old text;
begin
  if p_item is not null then
    select * into r from mw.review where tenant_id = p.tenant_id and position = p_item;
    if not found then perform mw.refuse('MW010', 'there is no review item ' || p_item); end if;
    p_order := r.order_id;
  end if;
  -- Mailboxes are locked before the order, as a push does it.
  select assignee into before_ from mw.work_order
   where tenant_id = p.tenant_id and order_id = p_order;
  perform 1 from mw.device where tenant_id = p.tenant_id
     and device_id in (before_, p_device, r.device_id) order by device_id for update;
  if p_item is not null then
    select * into r from mw.review where tenant_id = p.tenant_id and position = p_item for update;
  end if;
  select * into o from mw.work_order
   where tenant_id = p.tenant_id and order_id = p_order for update;
  if o.order_id is null and p_item is null then
    perform mw.refuse('MW010', 'the centre knows no order ' || p_order);
  end if;
  if o.assignee is distinct from before_ then
    perform mw.refuse('40001', 'the order was given away at this moment');
  end if;
  if cardinality(p.areas) > 0 and not exists (
       select from unnest(p.areas) a where o.area = a or o.area like a || '/%') then
    perform mw.refuse('MW007', 'this order lies outside the areas of ' || p.name);
  end if;
  if p.role <> all (case p_kind
       when 'centre.assigned' then array['planner', 'dispatcher', 'supervisor', 'administrator']
       when 'centre.recalled' then array['planner', 'dispatcher', 'supervisor', 'administrator']
       when 'centre.settled' then array['verifier', 'dispatcher', 'supervisor', 'administrator', 'system']
       when 'centre.approved' then array['verifier']
       when 'centre.rejected' then array['verifier']
       else array[]::text[] end) then
    perform mw.refuse('MW007', 'this is not for the role ' || p.role);
  end if;
  name_ := coalesce(nullif(o.number, ''), p_order);
  step := coalesce(o.epoch, 0) + 1;

  if p_kind = 'centre.assigned' then
    select * into target from mw.device where tenant_id = p.tenant_id and device_id = p_device;
    if target.device_id is null then
      perform mw.refuse('MW004', 'the laptop ' || p_device || ' is not enrolled at the centre');
    elsif target.revoked then
      perform mw.refuse('MW004', 'the laptop ' || p_device || ' was revoked at the centre');
    elsif o.completed then
      perform mw.refuse('MW011', 'order ' || name_ || ' is completed already');
    end if;
    b := jsonb_build_object('device', p_device, 'before', o.assignee, 'who', p.name);
    if o.assignee <> p_device then
      perform mw.post(p.tenant_id, o.assignee, 'recall', p_order, jsonb_build_object('epoch', step)::text);
    end if;
    perform mw.post(p.tenant_id, p_device, 'assign', p_order,
      jsonb_build_object('epoch', step, 'revision', o.revision, 'order', o.body::jsonb)::text);

  elsif p_kind = 'centre.recalled' then
    if p_reason = '' then perform mw.refuse('MW011', 'a reason is needed');
    elsif o.completed then perform mw.refuse('MW011', 'order ' || name_ || ' is completed already');
    elsif o.assignee = '' then perform mw.refuse('MW011', 'order ' || name_ || ' lies with nobody');
    end if;
    b := jsonb_build_object('reason', p_reason, 'who', p.name, 'before', o.assignee);
    perform mw.post(p.tenant_id, o.assignee, 'recall', p_order,
      jsonb_build_object('epoch', step, 'reason', p_reason)::text);

  elsif p_kind in ('centre.approved', 'centre.rejected') then
    if o.state <> 'in_review' then
      perform mw.refuse('MW011', 'order ' || name_ || ' is ' || replace(o.state, '_', ' ')
        || ', not in review');
    elsif o.worker <> '' and lower(o.worker) = lower(p.name) then
      perform mw.refuse('MW007', p.name || ' did this work and cannot review it');
    end if;
    if p_kind = 'centre.rejected' then
      if p_reason = '' then perform mw.refuse('MW011', 'a reason is needed'); end if;
      b := jsonb_build_object('reason', p_reason, 'steps', p_steps, 'who', p.name);
      perform mw.post(p.tenant_id, o.assignee, 'rework', p_order, jsonb_build_object('epoch', step,
        'revision', o.revision, 'reason', p_reason, 'steps', p_steps, 'order', o.body::jsonb)::text);
    else
      step := o.epoch;
      if lower(p.name) = any (string_to_array(lower(o.approved_by), E'\n')) then
        perform mw.refuse('MW007', p.name || ' has approved it already; a second person must');
      elsif exists (select from mw.event x where x.tenant_id = p.tenant_id and x.order_id = p_order
           and x.kind = 'attachment.added' and x.verdict = 'applied' and not exists (
             select from mw.blob f where f.tenant_id = p.tenant_id and f.complete
                and f.sha256 = mw.txt(mw.parsed(x.body), 'sha256'))) then
        perform mw.refuse('MW011', 'files of order ' || name_ || ' have not arrived yet');
      end if;
      b := jsonb_build_object('who', p.name, 'final', o.approved_by <> ''
        or o.kind not in ('disconnect', 'key_change', 'investigate_tamper'));
      if b -> 'final' = 'true' then
        perform mw.post(p.tenant_id, o.assignee, 'approved', p_order,
          jsonb_build_object('epoch', step)::text);
      end if;
    end if;

  elsif p_kind = 'centre.settled' then
    if r.position is null then perform mw.refuse('MW010', 'there is no such review item');
    elsif r.closed is not null then perform mw.refuse('MW011', 'item ' || p_item || ' is closed');
    elsif p_reason = '' then perform mw.refuse('MW011', 'a reason is needed');
    elsif p_decision not in ('accept', 'dismiss') then
      perform mw.refuse('MW011', 'the decision is accept or dismiss');
    end if;
    select * into ev from mw.event where tenant_id = r.tenant_id and device_id = r.device_id
       and incarnation = r.incarnation and seq = r.seq and received_on = r.received_on;
    b := jsonb_build_object('event_id', ev.event_id, 'device', ev.device_id, 'kind', ev.kind,
      'decision', p_decision, 'reason', p_reason, 'who', p.name);
    step := coalesce(o.epoch, 0);
    if p_decision = 'accept' then
      inner_ := mw.parsed(ev.body);
      if o.order_id is null or inner_ is null or ev.kind = 'order.imported'
         or not mw.field_kind(ev.kind) or r.verdict = 'invalid'
         or (ev.kind = 'order.state' and not mw.is_state(mw.txt(inner_, 'to'))) then
        perform mw.refuse('MW011', 'event ' || ev.event_id || ' cannot be applied');
      end if;
      b := b || jsonb_build_object('body', inner_);
      if o.assignee <> ev.device_id then
        step := step + 1;
        perform mw.post(p.tenant_id, o.assignee, 'recall', p_order,
          jsonb_build_object('epoch', step, 'reason', p_reason)::text);
      end if;
    end if;
    perform mw.post(p.tenant_id, ev.device_id, 'verdict', p_order, jsonb_build_object(
      'event_id', ev.event_id,
      'verdict', case when p_decision = 'accept' then 'applied' else 'dismissed' end)::text);
    update mw.review set closed = clock_timestamp(), closed_by = p.name, decision = p_decision,
      reason = p_reason where tenant_id = r.tenant_id and position = r.position;
  end if;

  perform mw.own_event(p.tenant_id, p_order, step, p_kind, b);
  if o.order_id is not null then
    o := mw.folded(o, p.tenant_id, 'centre', p_order, step, p_kind, b, '', clock_timestamp());
    perform mw.save(o);
  end if;
end $$;
