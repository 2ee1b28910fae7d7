-- Documents have a purpose of their own. Messages may be about a provider's account alone, and name their fact.

alter table document add column purpose text not null default '';
update document set purpose = case kind
    when 'Payment' then 'payment'
    when 'RefundReceipt' then 'sale_refund'
    when 'Purchase' then 'credit_refund'
    when 'SalesReceipt' then 'failed_sale_refund'
    when 'Deposit' then 'failed_credit_refund'
end;
create trigger document_has_its_purpose before insert on document when new.purpose = ''
begin select raise(abort, 'a document says what it is for'); end;
drop trigger document_is_frozen;
create trigger document_is_frozen before update on document
when (old.key, old.kind, old.purpose, old.provider, old.invoice, old.payment, old.amount_minor, old.currency, old.occurred_at)
    is not (new.key, new.kind, new.purpose, new.provider, new.invoice, new.payment, new.amount_minor, new.currency,
        new.occurred_at)
begin select raise(abort, 'what a document records never changes'); end;

create table message_about_anything (
    key             text primary key,
    kind            text not null,
    invoice         text references invoice (number),      -- null: about a provider's account alone
    fact            integer references fact (seq),         -- null: no fact called for it, a person or a step did
    state           text not null default 'waiting' check (state in ('waiting', 'sent', 'failed', 'withdrawn')),
    reason          text not null default '',
    message_id      text,
    sent_to         text,
    attempts        integer not null default 0,
    next_attempt_at integer not null,
    created_at      integer not null,
    sent_at         integer,
    check (invoice is not null or fact is not null),
    check ((state = 'sent') = (sent_at is not null)),
    check (state not in ('failed', 'withdrawn') or reason <> '')
) strict;
insert into message_about_anything (key, kind, invoice, fact, state, reason, message_id, sent_to, attempts,
    next_attempt_at, created_at, sent_at)
select message.key, message.kind, message.invoice, fact.seq, message.state, message.reason, message.message_id,
    message.sent_to, message.attempts, message.next_attempt_at, message.created_at, message.sent_at
from message left join fact
    on fact.provider = message.provider and message.key = message.kind || ':' || fact.provider || ':' || fact.key
order by message.rowid;
drop trigger message_is_frozen;
drop trigger message_is_kept;
drop table message;
alter table message_about_anything rename to message;
create index message_waiting on message (next_attempt_at) where state = 'waiting';
create index message_invoice on message (invoice);
create trigger message_is_frozen before update on message
when old.state = 'sent' or (old.key, old.kind, old.invoice, old.fact, old.created_at)
    is not (new.key, new.kind, new.invoice, new.fact, new.created_at)
begin select raise(abort, 'what a mail is about never changes, and a sent one stays sent'); end;
create trigger message_is_kept before delete on message
begin select raise(abort, 'messages are never deleted'); end;
