-- Doors that PostgreSQL leaves open to everybody; only a superuser can shut them.
revoke all on schema public from public;
revoke usage on language plpgsql from public;
do $$ declare f regprocedure; begin
  for f in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = 'pg_catalog'
              and p.proname in ('lo_create', 'lo_creat', 'lo_from_bytea', 'lo_put', 'lo_open',
                                'lowrite', 'loread', 'lo_get', 'lo_unlink', 'lo_truncate',
                                'lo_truncate64', 'pg_notify') loop
    execute format('revoke execute on function %s from public', f);
  end loop;
end $$
