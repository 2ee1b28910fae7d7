-- An invoice can be ended, and a form can be dismissed: then the corrected order takes the same number again.

alter table invoice add column voided_at integer;               -- UTC seconds; it was ended by void_invoice.py
create index invoice_problem on invoice (number) where problem <> '';

create table form_of_any_end (    -- orders that were submitted to /forms/sales
    number      text primary key check (length(number) between 1 and 21),
    order_json  text not null check (json_valid(order_json)),
    received_at integer not null,
    state       text not null default 'waiting' check (state in ('waiting', 'invoiced', 'refused', 'dismissed')),
    reason      text not null default '',
    ended_at    integer,
    check (state not in ('refused', 'dismissed') or reason <> '')
) strict;
insert into form_of_any_end (number, order_json, received_at, state, reason, ended_at)
select number, order_json, received_at, state, reason, ended_at from form;
drop trigger form_is_kept;
drop table form;
alter table form_of_any_end rename to form;
create index form_waiting on form (received_at) where state = 'waiting';
create index form_refused on form (received_at, number) where state = 'refused';
create trigger form_is_kept before delete on form
begin select raise(abort, 'submitted forms are never deleted'); end;
