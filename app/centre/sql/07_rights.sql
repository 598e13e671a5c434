-- Nobody may do anything but what is granted here.

revoke all on schema mw, api from public;
revoke all on all functions in schema mw, api from public;
revoke all on all tables in schema mw from public;

do $$ declare t text; begin
  for t in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'mw' and c.relkind in ('r', 'p') loop
    execute format('alter table mw.%I enable row level security', t);
  end loop;
end $$;

grant usage on schema mw, api to mw_field, mw_office;
grant select on mw.work_order, mw.mail to mw_field;
grant execute on function api.me(), api.my_tenant() to mw_field, mw_office;
grant execute on function api.my_areas() to mw_office;
grant execute on function
  api.hello(text, int, int, int8), api.new_incarnation(), api.pull(int8, int), api.ack(int8),
  api.own_events(int, int8, int), api.blob_missing(text[], int8[], text[]),
  api.blob_put(text, int8, bytea),
  api.push(int, int8[], text[], text[], int8[], text[], int8[], text[], text[], timestamptz[],
           int8[], text[], int8[], float8[])
  to mw_field;

-- The sub-selects are evaluated once a query.
create policy own_orders on mw.work_order for select to mw_field
  using (tenant_id = (select api.my_tenant()) and assignee = (select api.me()));
create policy own_mail on mw.mail for select to mw_field
  using (tenant_id = (select api.my_tenant()) and device_id = (select api.me()));

-- The office reads its tenant, and of the orders only its areas; it writes by api.act alone.
grant select on mw.centre, mw.device, mw.incarnation, mw.work_order, mw.event, mw.review, mw.blob
  to mw_office;
grant execute on function api.act(text, text, text, text, text, text, text[], int8, text)
  to mw_office;
create policy office_centre on mw.centre for select to mw_office using (true);
create policy office_devices on mw.device for select to mw_office
  using (tenant_id = (select api.my_tenant()));
create policy office_incarnations on mw.incarnation for select to mw_office
  using (tenant_id = (select api.my_tenant()));
create policy office_blobs on mw.blob for select to mw_office
  using (tenant_id = (select api.my_tenant()));
create policy office_orders on mw.work_order for select to mw_office
  using (tenant_id = (select api.my_tenant())
         and (cardinality((select api.my_areas())) = 0
              or exists (select from unnest((select api.my_areas())) a
                          where area = a or area like a || '/%')));
create policy office_events on mw.event for select to mw_office
  using (tenant_id = (select api.my_tenant())
         and (cardinality((select api.my_areas())) = 0
              or exists (select from mw.work_order o
                          where o.tenant_id = event.tenant_id and o.order_id = event.order_id)));
create policy office_reviews on mw.review for select to mw_office
  using (tenant_id = (select api.my_tenant())
         and (cardinality((select api.my_areas())) = 0
              or exists (select from mw.work_order o
                          where o.tenant_id = review.tenant_id and o.order_id = review.order_id)));
