-- A second provider: a ledger may belong to a PayPal account too, and a page can end without its approved payment.

create table binding_of_more (
    name  text primary key check (name in ('mode', 'stripe', 'paypal', 'quickbooks')),
    value text not null check (value <> '')
) strict;
insert into binding_of_more select name, value from binding;
create table proven_key_of_more (
    fingerprint text primary key,
    name        text not null references binding_of_more (name)
) strict;
insert into proven_key_of_more select fingerprint, name from proven_key;
drop table proven_key;
drop trigger binding_is_kept;
drop table binding;
alter table binding_of_more rename to binding;
alter table proven_key_of_more rename to proven_key;
create trigger binding_is_for_ever before update on binding
begin select raise(abort, 'a ledger belongs to the same accounts for ever'); end;
create trigger binding_is_kept before delete on binding
begin select raise(abort, 'a ledger belongs to the same accounts for ever'); end;

alter table checkout add column reason text not null default '';   -- why it ended, where its provider does not say
