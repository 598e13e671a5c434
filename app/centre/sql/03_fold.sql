-- Judging and folding: the same rules as app/centre/fold.py, which folds the log again to check.

create function mw.txt(b jsonb, k text) returns text language sql immutable as
$$ select case when jsonb_typeof(b -> k) = 'string' then b ->> k else '' end $$;

create function mw.is_state(s text) returns bool language sql immutable as
$$ select s in ('draft', 'planned', 'released', 'assigned', 'downloaded', 'accepted', 'started',
  'paused', 'done', 'submitted', 'in_review', 'approved', 'exported', 'closed', 'declined',
  'cannot_complete', 'triage', 'partly_done', 'rejected', 'recall_requested', 'recalled',
  'returned_to_utility', 'cancelled', 'superseded') $$;

-- States that only the centre leaves.
create function mw.of_centre(s text) returns bool language sql immutable as
$$ select s in ('in_review', 'approved', 'exported', 'closed', 'cancelled', 'superseded',
  'returned_to_utility', 'triage') $$;

create function mw.field_kind(k text) returns bool language sql stable as
$$ select exists (select from mw.kind where kind = k) $$;

-- The hash over what arrived: JSON of the six values without spaces, as the laptop forms it.
create function mw.event_hash(p_event text, p_order text, p_epoch int8, p_kind text, p_schema int8,
                              p_body text) returns bytea language sql immutable as
$$ select sha256(convert_to('[' || to_json(p_event)::text || ',' || to_json(p_order)::text || ','
  || p_epoch || ',' || to_json(p_kind)::text || ',' || p_schema || ',' || to_json(p_body)::text
  || ']', 'UTF8')) $$;

-- A body as data, NULL when it is no JSON object or holds what PostgreSQL cannot keep.
create function mw.parsed(p_body text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
declare b jsonb;
begin
  b := p_body::jsonb;
  return case when jsonb_typeof(b) = 'object' then b end;
exception when others then
  return null;
end $$;

create function mw.judge(o mw.work_order, p_device text, p_order text, p_epoch int8, p_kind text,
                         p_schema int8, b jsonb) returns text
language sql stable as $$
  select case
    when b is null then 'invalid'
    when not mw.field_kind(p_kind) or p_schema > (select schema_max from mw.centre) then 'unknown_kind'
    when p_order = '' then case when p_kind like 'order.%' then 'invalid' else 'applied' end
    when o.order_id is null then case when p_kind = 'order.imported' then 'applied' else 'orphan' end
    when o.assignee <> p_device or o.epoch <> p_epoch then 'late'
    when p_kind = 'order.done' and o.completed then 'duplicate_result'
    when p_kind = 'order.state' and not mw.is_state(mw.txt(b, 'to')) then 'invalid'
    when p_kind = 'order.state' and mw.of_centre(o.state)
         and mw.txt(b, 'to') not in ('done', 'submitted') then 'conflict'
    else 'applied' end $$;

-- The order after an applied event.
create function mw.folded(o mw.work_order, p_tenant text, p_device text, p_order text, p_epoch int8,
                          p_kind text, b jsonb, p_body text, p_wall timestamptz)
returns mw.work_order language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare to_state text;
begin
  if p_kind = 'order.imported' then
    if o.order_id is null then
      o.tenant_id := p_tenant; o.order_id := p_order; o.assignee := p_device; o.epoch := p_epoch;
      o.revision := 0; o.completed := false; o.verdict := ''; o.report_sha256 := '';
      o.worker := ''; o.ended := ''; o.approved_by := ''; o.priority := 3;
      o.state := case when mw.is_state(mw.txt(b, 'state')) then mw.txt(b, 'state')
                      else 'accepted' end;
    end if;
    o.number := mw.txt(b, 'number'); o.source := mw.txt(b, 'source');
    o.external_ref := nullif(mw.txt(b, 'external_ref'), ''); o.kind := mw.txt(b, 'kind');
    o.title := mw.txt(b, 'title'); o.queue := mw.txt(b, 'queue'); o.area := mw.txt(b, 'area');
    o.due := mw.txt(b, 'due'); o.revision := o.revision + 1; o.body := p_body;
    if jsonb_typeof(b -> 'priority') = 'number' and b ->> 'priority' ~ '^[0-9]{1,2}$' then
      o.priority := (b ->> 'priority')::int;
    end if;
  elsif o.order_id is null then
    return o;
  elsif p_kind = 'order.state' then
    to_state := mw.txt(b, 'to');
    if not mw.of_centre(o.state) and not (o.completed and to_state in ('done', 'submitted')) then
      o.state := to_state;
    end if;
  elsif p_kind = 'order.done' then
    o.state := 'in_review'; o.completed := true; o.verdict := mw.txt(b, 'verdict');
    o.report_sha256 := mw.txt(b, 'report_sha256'); o.worker := mw.txt(b, 'who');
    o.ended := to_char(p_wall at time zone 'utc', 'YYYY-MM-DD');
  elsif p_kind = 'centre.assigned' then
    o.assignee := mw.txt(b, 'device'); o.epoch := p_epoch;
    if not o.completed then o.state := 'assigned'; end if;
  elsif p_kind = 'centre.recalled' then
    o.assignee := ''; o.epoch := p_epoch;
    o.state := case when o.state in ('started', 'paused') then 'recall_requested'
                    else 'recalled' end;
  elsif p_kind = 'centre.approved' then
    o.approved_by := case when o.approved_by = '' then mw.txt(b, 'who')
                          else o.approved_by || E'\n' || mw.txt(b, 'who') end;
    if b -> 'final' = 'true' then o.state := 'approved'; end if;
  elsif p_kind = 'centre.rejected' then
    o.epoch := p_epoch; o.state := 'assigned'; o.completed := false; o.verdict := '';
    o.report_sha256 := ''; o.worker := ''; o.ended := ''; o.approved_by := '';
  elsif p_kind = 'centre.settled' and mw.txt(b, 'decision') = 'accept' then
    o.assignee := mw.txt(b, 'device'); o.epoch := p_epoch;
    o := mw.folded(o, p_tenant, mw.txt(b, 'device'), p_order, p_epoch, mw.txt(b, 'kind'),
                   b -> 'body', '', p_wall);
  end if;
  return o;
end $$;

create function mw.save(o mw.work_order) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  insert into mw.work_order select (o).*
  on conflict (tenant_id, order_id) do update set
    (number, source, external_ref, kind, title, state, queue, area, assignee, epoch, revision,
     priority, due, completed, verdict, report_sha256, worker, ended, approved_by, body)
    = row (excluded.number, excluded.source, excluded.external_ref, excluded.kind, excluded.title,
     excluded.state, excluded.queue, excluded.area, excluded.assignee, excluded.epoch,
     excluded.revision, excluded.priority, excluded.due, excluded.completed, excluded.verdict,
     excluded.report_sha256, excluded.worker, excluded.ended, excluded.approved_by, excluded.body)
$$;

-- Whether another order has the same reference of the same source.
create function mw.reference_taken(o mw.work_order) returns bool
language sql stable set search_path = pg_catalog, pg_temp as $$
  select o.external_ref is not null and exists (
    select from mw.work_order x where x.tenant_id = o.tenant_id and x.source = o.source
       and x.external_ref = o.external_ref and x.order_id <> o.order_id) $$;
