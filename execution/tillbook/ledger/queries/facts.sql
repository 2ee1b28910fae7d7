-- name: append   the same vendor movement is one fact, however often it is read
insert into fact (provider, key, kind, payment, invoice, occurred_at, recorded_at, body, hash)
values (:provider, :key, :kind, :payment, :invoice, :occurred_at, :now, :body, :hash)
on conflict (provider, key) do nothing;

-- name: by_key
select * from fact where provider = :provider and key = :key;

-- name: of_payment
select * from fact where provider = :provider and payment = :payment order by seq;

-- name: of_invoice   the invoice's own facts and those of every payment matched to it
select fact.* from fact where fact.invoice = :invoice
union all
select fact.* from payment_invoice as match
join fact on fact.provider = match.provider and fact.payment = match.payment
where match.invoice = :invoice
order by seq;

-- name: of_nobody   what came after another fact and no invoice is known for
select * from fact where seq > :after and invoice = ''
and not exists (select 1 from payment_invoice as match where match.provider = fact.provider and match.payment = fact.payment)
order by seq;

-- name: invoices_after   whose facts came after another one
select match.invoice from fact join payment_invoice as match
    on match.provider = fact.provider and match.payment = fact.payment where fact.seq > :after
union select +invoice from fact where seq > :after and +invoice <> ''
order by 1;

-- name: posted_lines   what the entries of a fact add up to
select account, currency, line.invoice, sum(amount_minor) as amount_minor
from entry join line on line.entry = entry.id
where entry.fact = :fact
group by account, currency, line.invoice having sum(amount_minor) <> 0
order by min(entry.id), min(line.position);

-- name: add_entry
insert into entry (fact, reason, recorded_at) values (:fact, :reason, :now);

-- name: add_line
insert into line (entry, position, account, amount_minor, currency, invoice)
values (:entry, :position, :account, :amount_minor, :currency, :invoice);

-- name: complete_entry
insert into balanced (entry) values (:entry);

-- name: balances
select account, currency, amount_minor from balance where amount_minor <> 0 order by account, currency;

-- name: currencies   in which an account ever held something
select currency from balance where account = :account order by currency;

-- name: added_up   the same, from every line
-- scans: the full check adds up every line
select account, currency, sum(amount_minor) as amount_minor from line group by account, currency
having sum(amount_minor) <> 0 order by account, currency;

-- name: wrong_balances   the sums that are kept for invoices and are not what their lines add up to
-- scans: the full check adds up every line
select invoice, account, currency, sum(amount_minor) as amount_minor from (
    select invoice, account, currency, amount_minor from line
    where invoice <> '' and account in ('Receivable', 'Customer Credit')
    union all
    select invoice, account, currency, -amount_minor from invoice_balance
) group by invoice, account, currency having sum(amount_minor) <> 0;

-- name: invoice_balances
select account, currency, sum(amount_minor) as amount_minor from line where invoice = :invoice
group by account, currency order by account, currency;

-- name: entries_of_fact
select entry.id, entry.reason, line.account, line.amount_minor, line.currency
from entry join line on line.entry = entry.id where entry.fact = :fact order by entry.id, line.position;

-- name: last_seal
select id, last_seq, hash from seal where id = (select max(id) from seal);

-- name: seal_of
select last_seq, hash from seal where id = :id;

-- name: unsealed
select seq, hash from fact where seq > :last_seq order by seq;

-- name: seal
insert into seal (first_seq, last_seq, previous, hash, sealed_at)
values (:first_seq, :last_seq, :previous, :hash, :now);

-- name: seals_after
select * from seal where id > :id order by id limit :most;

-- name: facts_between
select seq, provider, key, kind, payment, invoice, occurred_at, body, hash from fact where seq between :first_seq and :last_seq order by seq;

-- name: count
select coalesce(max(seq), 0) as number from fact;   -- facts are never deleted

-- name: last_movement   by the vendors' time
-- scans: a copy reads the whole ledger
select max(occurred_at) as occurred_at from fact;

-- name: last_entry
select coalesce(max(id), 0) as id from entry;

-- name: lines_after
select account, invoice, amount_minor, currency from line where entry > :entry order by entry, position;
