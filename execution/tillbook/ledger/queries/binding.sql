-- name: bound
select name, value from binding;

-- name: bind
insert into binding (name, value) values (:name, :value);

-- name: proven_key
select name from proven_key where fingerprint = :fingerprint and name = :name;

-- name: prove_key
insert into proven_key (fingerprint, name) values (:fingerprint, :name) on conflict (fingerprint) do nothing;
