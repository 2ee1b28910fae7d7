-- name: facts   what moved money at one provider in a window, by key
select key, kind, payment, occurred_at,
    json_extract(body, '$.amount.minor') as amount_minor, json_extract(body, '$.amount.currency') as currency
from fact
where provider = :provider and occurred_at >= :since and occurred_at < :until and invoice = ''
order by key;

-- name: documents   in a window, with the fact that each rests on
select document.key, document.kind, document.payment, document.amount_minor, document.currency, document.occurred_at,
    document.state, document.quickbooks_id, fact.key as fact
from document
join document_fact on document_fact.document = document.key
join fact on fact.seq = document_fact.fact
where document.provider = :provider and document.occurred_at >= :since and document.occurred_at < :until
order by fact.key, document.key;

-- name: operation_subjects   which document an operation's mark stands for
select id, subject from operation where id in (select value from json_each(:ids));

-- name: providers   whose money the ledger holds
select provider from fact_provider;

-- name: receivables   what each customer owes by the ledger, credit taken off
select invoice.customer, balance.currency, sum(balance.amount_minor) as amount_minor
from invoice_balance as balance join invoice on invoice.number = balance.invoice
where invoice.customer is not null
group by invoice.customer, balance.currency;

-- name: open_of   the invoices of a customer that something is open of, credit taken off
select invoice.number, invoice.quickbooks_id, balance.currency, sum(balance.amount_minor) as amount_minor
from invoice join invoice_balance as balance on balance.invoice = invoice.number
where invoice.customer = :customer and invoice.quickbooks_id is not null
group by invoice.number, balance.currency having sum(balance.amount_minor) <> 0;

-- name: unposted   documents that QuickBooks has not heard of, by customer and kind
select invoice.customer, document.kind, document.currency, sum(document.amount_minor) as amount_minor
from document join invoice on invoice.number = document.invoice
where document.state <> 'posted' and invoice.customer is not null
group by invoice.customer, document.kind;

-- name: invoices_of   a customer's invoices that stand in QuickBooks
select number, quickbooks_id, total_minor, currency, created_at from invoice
where customer = :customer and quickbooks_id is not null;

-- name: known_record   whether a record of QuickBooks is a document of ours
select 1 as known from document where quickbooks_id = :quickbooks_id and kind = :kind;

-- name: customer_of
select customer from invoice where number = (select invoice from document where key = :document);

-- name: accept
insert into acceptance (type, subject, provider, amount_minor, currency, effect_minor, occurred_at, reason, accepted_by, accepted_at)
values (:type, :subject, :provider, :amount_minor, :currency, :effect_minor, :occurred_at, :reason, :accepted_by, :now);

-- name: accepted   the same discrepancy with the same amount
select accepted_by, accepted_at from standing_acceptance
where subject = :subject and type = :type and amount_minor is :amount_minor and currency = :currency;

-- name: accepted_effects   of what was accepted and lies before a window, by currency
select currency, sum(effect_minor) as effect_minor from standing_acceptance
where provider = :provider and effect_minor <> 0 and occurred_at < :since group by currency;

-- name: acceptances_before   those, the newest first
select id, type, subject, amount_minor, currency from standing_acceptance
where provider = :provider and effect_minor <> 0 and occurred_at < :since and currency = :currency
order by occurred_at desc, id limit :most;

-- name: accepted_of_proof
select coalesce(sum(amount_minor), 0) as amount_minor from standing_acceptance
where type = 'proof_failed' and subject = :subject;

-- name: acceptances_of_proof
select id, type, subject, amount_minor, currency from standing_acceptance
where type = 'proof_failed' and subject = :subject order by id desc limit :most;

-- name: acceptances   the newest first
-- scans: by id from the newest on, and it stops at the number asked for
select * from standing_acceptance order by id desc limit :most;

-- name: standing_acceptance
select * from standing_acceptance where id = :id;

-- name: withdraw
insert into withdrawal (acceptance, reason, withdrawn_by, withdrawn_at) values (:acceptance, :reason, :withdrawn_by, :now);

-- name: unmatched   what is left of payments that no invoice is known for
select unmatched.provider, unmatched.payment, fact.body ->> '$.amount.currency' as currency,
    min(fact.occurred_at) as occurred_at,
    sum(case fact.kind when 'PaymentRefunded' then -1 else 1 end * (fact.body ->> '$.amount.minor')) as amount_minor
from unmatched cross join fact on fact.payment = unmatched.payment and fact.provider = unmatched.provider
where fact.kind in ('PaymentSucceeded', 'PaymentRefunded', 'RefundFailed')
group by unmatched.provider, unmatched.payment, currency
having amount_minor > 0 order by occurred_at, unmatched.payment;

-- name: wrong_unmatched   payments that are kept as unmatched and are not, or the other way round
-- scans: the full check looks at every payment
select provider, payment from (
    select distinct provider, payment, 1 as sign from fact where kind = 'PaymentSucceeded' and not exists (
        select 1 from payment_invoice as match where match.provider = fact.provider and match.payment = fact.payment)
    union all
    select provider, payment, -1 from unmatched
) group by provider, payment having sum(sign) <> 0 order by provider, payment;

-- name: first_of_payment
select min(occurred_at) as occurred_at from fact where +provider = :provider and payment = :payment;

-- name: credits   what a customer has left of a double payment, or of one that was too much
select invoice_balance.invoice, -invoice_balance.amount_minor as amount_minor, invoice_balance.currency,
    coalesce((
        select max(occurred_at) from payment_invoice as match
        cross join fact on fact.payment = match.payment and fact.provider = match.provider
        where match.invoice = invoice_balance.invoice
    ), invoice.created_at) as since
from invoice_balance join invoice on invoice.number = invoice_balance.invoice
where account = 'Customer Credit' and amount_minor < 0
order by since, invoice_balance.invoice;

-- name: note_unreadable   the first sight of it counts
insert into unreadable (vendor, record, field, reason, currency, payment, at, seen_at)
values (:vendor, :record, :field, :reason, :currency, :payment, :at, :now)
on conflict do nothing;

-- name: read_well   of a payment that was read again: what is not odd any more
delete from unreadable
where vendor = :vendor and payment = :payment and record not in (select value from json_each(:still_odd));

-- name: forget_unreadable
delete from unreadable where vendor = :vendor and record = :record;

-- name: unreadable
select vendor, record, field, reason, currency, payment, at, seen_at from unreadable order by seen_at, vendor, record;
