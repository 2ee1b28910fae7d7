-- Every link of a chain has the same columns, so that show_payment.py need not know the rows that they come from.

-- name: named   the invoices that an id of any vendor, a mail address, or an id of ours leads to
select number as invoice from invoice where number = :name
union select invoice.number from invoice join customer on customer.quickbooks_id = invoice.customer
    where customer.email = :name collate nocase
union select number from invoice where quickbooks_id = :name
union select number from invoice where customer = :name
union select invoice from checkout where id = :name
union select invoice from checkout where operation = :name
union select invoice from payment_invoice where payment = :name
union select invoice from document where key = :name and invoice <> ''
union select invoice from document where quickbooks_id = :name and invoice <> ''
union select match.invoice from fact join payment_invoice as match
    on match.provider = fact.provider and match.payment = fact.payment
    where fact.key = :name
union select match.invoice from fact join payment_invoice as match
    on match.provider = fact.provider and match.payment = fact.payment
    where fact.body ->> 'refund' = :name
union select match.invoice from inbox join payment_invoice as match
    on match.provider = inbox.provider and match.payment = inbox.object
    where inbox.provider in (select provider from inbox_provider) and inbox.event = :name
union select subject from operation where id = :name and kind = 'create_invoice'
union select document.invoice from operation join document on document.key = operation.subject
    where operation.id = :name and document.invoice <> ''
order by 1;

-- name: links   everything about one invoice
with about as (
    select seq, provider, key, kind, payment, invoice, occurred_at, body from fact where invoice = :invoice
    union all
    select fact.seq, fact.provider, fact.key, fact.kind, fact.payment, fact.invoice, fact.occurred_at, fact.body
    from payment_invoice as match join fact on fact.provider = match.provider and fact.payment = match.payment
    where match.invoice = :invoice
)
select 'form' as what, number as id, state as status, null as amount_minor, null as currency,
    received_at as at, reason as detail, 5 as rank, 0 as place, 0 as line
from form where number = :invoice
union all
select 'order', number, 'accepted', null, null, created_at, 'due ' || due, 10, 0, 0
from invoice where number = :invoice and order_json <> '{}'
union all
select 'customer', customer.quickbooks_id, 'in QuickBooks', null, null, null,
    customer.name || ' <' || customer.email || '>', 20, 0, 0
from invoice join customer on customer.quickbooks_id = invoice.customer where number = :invoice
union all
select 'invoice', number,
    case
        when problem <> '' then 'problem'
        when voided_at is not null then 'voided'
        when (select sum(amount_minor) from line where line.invoice = number and account = 'Receivable') = 0 then 'paid'
        else 'open'
    end,
    total_minor, currency, created_at,
    case when problem <> '' then problem else 'QuickBooks ' || coalesce(quickbooks_id, 'does not have it yet') end,
    30, 0, 0
from invoice where number = :invoice
union all
select 'checkout', id, status, amount_minor, currency, created_at,
    provider || ', operation ' || operation || case when reason <> '' then ', ' || reason else '' end,
    40, created_at, rowid
from checkout where invoice = :invoice
union all
select 'event', event, state, null, null, created_at,
    case when reason <> '' then reason else type || ' by ' || source end, 50, inbox.id, 0
from payment_invoice as match join inbox on inbox.provider = match.provider and inbox.object = match.payment
where match.invoice = :invoice
union all
select 'fact ' || kind, key, 'recorded', coalesce(body ->> '$.amount.minor', body ->> '$.total.minor'),
    coalesce(body ->> '$.amount.currency', body ->> '$.total.currency'), occurred_at,
    provider || ' ' || payment || invoice, 60, seq, 0
from about
union all
select 'entry', entry.id, 'posted', abs(amount_minor), currency, null,
    case when amount_minor > 0 then 'Dr ' else 'Cr ' end || account, 60, about.seq, entry.id * 1000 + position + 1
from about join entry on entry.fact = about.seq join line on line.entry = entry.id
union all
select 'document ' || kind, key, state, amount_minor, currency, occurred_at,
    trim(coalesce('QuickBooks ' || quickbooks_id, '') || ' ' || reason), 70, occurred_at, rowid
from document where invoice = :invoice
union all
select 'mail ' || kind, key, state, null, null, created_at,
    case
        when reason <> '' then reason
        when sent_to is not null then 'to ' || sent_to || ', ' || message_id
        else ''
    end,
    80, created_at, rowid
from message where invoice = :invoice
union all
select 'acceptance', acceptance.id, case when withdrawal.acceptance is null then 'accepted' else 'withdrawn' end,
    acceptance.amount_minor, acceptance.currency, accepted_at,
    type || ' ' || subject || ' by ' || accepted_by || ': ' || acceptance.reason
        || case when withdrawal.acceptance is null then '' else '; taken back by ' || withdrawn_by || ': ' || withdrawal.reason end,
    90, accepted_at, acceptance.id
from acceptance left join withdrawal on withdrawal.acceptance = acceptance.id
where subject in (
    select key from about union select payment from about where payment <> '' union select :invoice
    union select key from document where invoice = :invoice union select id from checkout where invoice = :invoice
)
order by rank, place, line;

-- name: strays   what belongs to no invoice: a submitted order, a payment of nobody we know, an event, an operation
select 'form' as what, number as id, state as status, null as amount_minor, null as currency, received_at as at,
    reason as detail, 5 as rank, 0 as place, 0 as line
from form where number = :name
union all
select 'event', event, state, null, null, created_at,
    case when reason <> '' then reason else type || ' by ' || source end, 50, id, 0
from inbox where object = :name or provider in (select provider from inbox_provider) and event = :name
union all
select 'fact ' || kind, key, 'recorded', coalesce(body ->> '$.amount.minor', body ->> '$.total.minor'),
    coalesce(body ->> '$.amount.currency', body ->> '$.total.currency'), occurred_at,
    provider || ' ' || payment || invoice, 60, seq, 0
from fact where payment = :name or key = :name or body ->> 'payout' = :name
union all
select 'entry', entry.id, 'posted', abs(amount_minor), currency, null,
    case when amount_minor > 0 then 'Dr ' else 'Cr ' end || account, 60, seq, entry.id * 1000 + position + 1
from fact join entry on entry.fact = seq join line on line.entry = entry.id
where payment = :name or key = :name or body ->> 'payout' = :name
union all
select 'mail ' || message.kind, message.key, message.state, null, null, message.created_at,
    case
        when message.reason <> '' then message.reason
        when message.sent_to is not null then 'to ' || message.sent_to || ', ' || message.message_id
        else ''
    end,
    80, message.created_at, message.rowid
from message join fact on fact.seq = message.fact
where message.invoice is null and (fact.key = :name or fact.body ->> 'payout' = :name)
union all
select 'operation', id, state, null, null, prepared_at, trim(kind || ' for ' || subject || ' ' || reason), 90, 0, 0
from operation where id = :name
union all
select 'acceptance', acceptance.id, case when withdrawal.acceptance is null then 'accepted' else 'withdrawn' end,
    acceptance.amount_minor, acceptance.currency, accepted_at,
    type || ' ' || subject || ' by ' || accepted_by || ': ' || acceptance.reason
        || case when withdrawal.acceptance is null then '' else '; taken back by ' || withdrawn_by || ': ' || withdrawal.reason end,
    95, accepted_at, acceptance.id
from acceptance left join withdrawal on withdrawal.acceptance = acceptance.id
where subject = :name
order by rank, place, line;
