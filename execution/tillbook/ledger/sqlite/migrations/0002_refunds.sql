-- Money back: what a refund operation takes of a payment, bounded by what was captured.

create table item (               -- items in the books that our documents use
    name          text primary key,
    quickbooks_id text not null unique
) strict;

create table outflow (
    operation    text primary key references operation (id),
    provider     text not null,
    payment      text not null,
    amount_minor integer not null check (amount_minor > 0),
    currency     text not null,
    released_at  integer     -- its refund ended without moving money
) strict;
create index outflow_payment on outflow (provider, payment);

-- What each fact and each refund operation does to a payment: it came in, went back, or will still be taken. An
-- operation counts until its fact is there; the fact names the operation, so each counts once. (Without `payment <> ''`
-- the index on it, which is partial, is of no use.)
create view movement as
select
    provider,
    payment,
    json_extract(body, '$.amount.currency') as currency,
    case kind when 'PaymentSucceeded' then json_extract(body, '$.amount.minor') else 0 end as captured_minor,
    case kind
        when 'PaymentRefunded' then json_extract(body, '$.amount.minor')
        when 'RefundFailed' then -json_extract(body, '$.amount.minor')
        else 0
    end as returned_minor,
    0 as pending_minor
from fact where payment <> '' and kind in ('PaymentSucceeded', 'PaymentRefunded', 'RefundFailed')
union all
select outflow.provider, outflow.payment, outflow.currency, 0, 0, outflow.amount_minor
from outflow join operation on operation.id = outflow.operation
where outflow.released_at is null and operation.state <> 'refused'
    and not exists (
        select 1 from fact
        where fact.provider = outflow.provider and fact.payment = outflow.payment and fact.payment <> ''
            and fact.kind = 'PaymentRefunded' and json_extract(fact.body, '$.operation') = outflow.operation
    );

create trigger outflow_fits_the_capture after insert on outflow
when (
    select coalesce(sum(captured_minor - returned_minor - pending_minor), -1) from movement
    where provider = new.provider and payment = new.payment and currency = new.currency
) < 0
begin select raise(abort, 'more would be given back than was captured'); end;

-- No refund operation without its outflow, whoever prepares it.
create trigger refund_reserves_its_outflow after insert on operation when new.kind = 'refund_payment'
begin
    insert into outflow (operation, provider, payment, amount_minor, currency)
    values (new.id, new.door, new.params ->> 'payment', new.params ->> 'amount_minor', new.params ->> 'currency');
end;

create trigger outflow_is_frozen before update on outflow
when (old.operation, old.provider, old.payment, old.amount_minor, old.currency)
    is not (new.operation, new.provider, new.payment, new.amount_minor, new.currency) or old.released_at is not null
begin select raise(abort, 'an outflow never changes; it is released once'); end;

create trigger outflow_is_made_once before insert on outflow   -- `insert or replace` deletes without asking a trigger
when exists (select 1 from outflow where operation = new.operation)
begin select raise(abort, 'an operation has one outflow'); end;

create trigger outflow_is_kept before delete on outflow
begin select raise(abort, 'outflows are never deleted'); end;
