-- What a person has looked at and taken as it is: a discrepancy that no command can end.
create table acceptance (
    id           integer primary key,
    type         text not null,
    subject      text not null,
    provider     text not null default '',
    amount_minor integer,              -- null for a discrepancy that names no money
    currency     text not null default '',
    effect_minor integer not null,     -- what it makes our clearing account more than the processor's balance
    occurred_at  integer not null,
    reason       text not null default '',
    accepted_by  text not null,
    accepted_at  integer not null
) strict;
create index acceptance_subject on acceptance (subject, type);
create trigger acceptance_is_for_ever before update on acceptance
begin select raise(abort, 'what a person accepted stays written down'); end;
create trigger acceptance_is_kept before delete on acceptance
begin select raise(abort, 'what a person accepted stays written down'); end;

create index document_when on document (occurred_at);
