-- Files in chunks of 256 KiB, hashed as a whole at the end.

create function api.blob_missing(p_sha text[], p_size int8[], p_mime text[])
returns table (sha256 text, held int8)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d mw.device; f record; b mw.blob;
begin
  d := mw.admit();
  if array_length(p_sha, 1) > 1000 then
    raise exception 'too many files at once' using errcode = 'MW003';
  end if;
  for f in select * from unnest(p_sha, p_size, p_mime) with ordinality as x(sha, size, mime, i)
            order by i loop
    continue when exists (select from mw.blob x
      where x.tenant_id = d.tenant_id and x.sha256 = f.sha and x.complete);
    if f.sha !~ '^[0-9a-f]{64}$' or f.size < 0 or f.size > 268435456 then
      raise exception 'file %: % bytes are not taken', left(f.sha, 64), f.size
        using errcode = 'MW006';
    end if;
    select * into b from mw.blob x
     where x.tenant_id = d.tenant_id and x.sha256 = f.sha and x.device_id = d.device_id;
    if not found or b.size <> f.size then
      perform mw.begin_blob(d, f.sha, f.size, f.mime);
      b.received := 0;
    end if;
    sha256 := f.sha; held := b.received;
    return next;
  end loop;
end $$;

create function mw.begin_blob(d mw.device, p_sha text, p_size int8, p_mime text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  delete from mw.blob_chunk
   where tenant_id = d.tenant_id and sha256 = p_sha and device_id = d.device_id;
  delete from mw.blob
   where tenant_id = d.tenant_id and sha256 = p_sha and device_id = d.device_id;
  insert into mw.blob (tenant_id, sha256, device_id, size, mime)
  values (d.tenant_id, p_sha, d.device_id, p_size, left(p_mime, 100));
end $$;

create function api.blob_put(p_sha text, p_offset int8, p_data bytea) returns int8
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare d mw.device; b mw.blob; n int := length(p_data); whole text;
begin
  d := mw.admit();
  select * into b from mw.blob x
   where x.tenant_id = d.tenant_id and x.sha256 = p_sha and x.complete limit 1;
  if found then return b.size; end if;
  select * into b from mw.blob x
   where x.tenant_id = d.tenant_id and x.sha256 = p_sha and x.device_id = d.device_id;
  if not found then
    raise exception 'file % was not announced', left(p_sha, 64) using errcode = 'MW006';
  end if;
  if p_offset <> b.received then return b.received; end if;
  if p_offset + n > b.size or n > 262144 or (n <> 262144 and p_offset + n <> b.size) then
    raise exception 'file %: % bytes at % do not fit', left(p_sha, 64), n, p_offset
      using errcode = 'MW006';
  end if;
  perform mw.spend(d, 0, n);
  insert into mw.blob_chunk (tenant_id, sha256, device_id, ix, data)
  values (d.tenant_id, p_sha, d.device_id, p_offset / 262144, p_data);
  if p_offset + n = b.size then
    select encode(sha256(coalesce(string_agg(c.data, ''::bytea order by c.ix), ''::bytea)), 'hex')
      into whole from mw.blob_chunk c
     where c.tenant_id = d.tenant_id and c.sha256 = p_sha and c.device_id = d.device_id;
    if whole <> p_sha then
      perform mw.begin_blob(d, p_sha, b.size, b.mime);
      return 0;
    end if;
  end if;
  update mw.blob set received = p_offset + n, complete = (p_offset + n = b.size)
   where tenant_id = d.tenant_id and sha256 = p_sha and device_id = d.device_id;
  return p_offset + n;
end $$;
