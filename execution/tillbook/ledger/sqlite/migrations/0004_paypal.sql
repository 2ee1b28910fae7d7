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
alter table checkout add column used integer not null default 0 check (used in (0, 1));   -- its customer agreed to pay

-- The vendor's id of the delivery that an event came by: another message under the same one is never kept.
alter table inbox add column delivery text not null default '';
create unique index inbox_delivery on inbox (provider, delivery) where delivery <> '';
drop trigger inbox_keeps_what_was_said;
create trigger inbox_keeps_what_was_said before update on inbox
when (old.provider, old.event, old.type, old.object, old.account, old.livemode, old.created_at, old.received_at, old.body,
        old.delivery)
    is not (new.provider, new.event, new.type, new.object, new.account, new.livemode, new.created_at, new.received_at,
        new.body, new.delivery)
begin select raise(abort, 'what a vendor said never changes'); end;
