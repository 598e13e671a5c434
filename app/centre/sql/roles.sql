-- Roles belong to the whole server: another centre on it may have made them.
do $$ begin
  if not exists (select from pg_roles where rolname = 'mw_owner') then
    create role mw_owner nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'mw_field') then
    create role mw_field nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'mw_office') then
    create role mw_office nologin;
  end if;
  if not pg_has_role(current_user, 'mw_owner', 'member') then
    execute format('grant mw_owner to %I', current_user);
  end if;
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to mw_field, mw_office', current_database());
end $$;
create schema mw authorization mw_owner;
create schema api authorization mw_owner;
set role mw_owner
