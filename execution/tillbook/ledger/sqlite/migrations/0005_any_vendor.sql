-- A ledger may belong to an account of any vendor: which vendors there are is not the schema's business.

create table binding_of_any (
    name  text primary key check (name <> ''),
    value text not null check (value <> '')
) strict;
insert into binding_of_any select name, value from binding;
create table proven_key_of_any (
    fingerprint text primary key,
    name        text not null references binding_of_any (name)
) strict;
insert into proven_key_of_any select fingerprint, name from proven_key;
drop table proven_key;
drop trigger binding_is_kept;
drop table binding;
alter table binding_of_any rename to binding;
alter table proven_key_of_any rename to proven_key;
create trigger binding_is_for_ever before update on binding
begin select raise(abort, 'a ledger belongs to the same accounts for ever'); end;
create trigger binding_is_kept before delete on binding
begin select raise(abort, 'a ledger belongs to the same accounts for ever'); end;
