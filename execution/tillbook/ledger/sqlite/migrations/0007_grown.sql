-- A question of every day reads what it asks for, however much is behind it.
--
-- An index `where invoice <> ''` serves no query with a parameter, which might be empty: such indexes are whole now.
-- Those with a state in their condition stay: what waits does not grow with the past.

drop index fact_payment;
drop index fact_invoice;
drop index line_invoice;
drop index document_invoice;
drop index customer_email;
create index fact_payment on fact (payment, provider);
create index fact_invoice on fact (invoice);
create index fact_key on fact (key);
create index fact_when on fact (provider, occurred_at);
create index fact_refund on fact (body ->> 'refund') where body ->> 'refund' is not null;
create index fact_payout on fact (body ->> 'payout') where body ->> 'payout' is not null;
create index line_invoice on line (invoice, account);
create index inbox_parked on inbox (id) where state = 'parked';
create index inbox_object on inbox (object, provider);
create index customer_email on customer (email collate nocase);
create index invoice_customer on invoice (customer);
create index invoice_open on invoice (number) where coalesce(balance_minor, 1) > 0;
create index checkout_invoice on checkout (invoice);
create index checkout_unended on checkout (provider, created_at) where status in ('open', 'processing');
create index payment_named on payment_invoice (payment);
create index document_invoice on document (invoice, purpose);
create index document_payment on document (payment, provider);
create index document_quickbooks on document (quickbooks_id);
create index document_unposted on document (invoice) where state <> 'posted';
create index document_failed on document (occurred_at, key) where state = 'failed';
create index document_noted on document (occurred_at, key) where state = 'posted' and reason <> '';
create index document_of_fact on document_fact (fact);
create index acceptance_effect on acceptance (provider, occurred_at) where effect_minor <> 0;
create index form_refused on form (received_at, number) where state = 'refused';
create index message_fact on message (fact);

-- Whose events and facts there are: one look into an index for each.
create view inbox_provider as
with recursive each (provider) as (
    select min(provider) from inbox
    union all
    select (select min(provider) from inbox where provider > each.provider) from each where provider is not null
)
select provider from each where provider is not null;
create view fact_provider as
with recursive each (provider) as (
    select min(provider) from fact
    union all
    select (select min(provider) from fact where provider > each.provider) from each where provider is not null
)
select provider from each where provider is not null;

-- Sums that would read every line are kept beside the lines, by the same commit. The full check adds them up again.
create table balance (            -- what an account holds: debit positive
    account      text not null,
    currency     text not null,
    amount_minor integer not null,
    primary key (account, currency)
) strict, without rowid;
insert into balance (account, currency, amount_minor)
select account, currency, sum(amount_minor) from line group by account, currency;

create table invoice_balance (    -- what is open of an invoice: no row when nothing is
    invoice      text not null references invoice (number),
    account      text not null check (account in ('Receivable', 'Customer Credit')),
    currency     text not null,
    amount_minor integer not null,
    primary key (invoice, account, currency)
) strict, without rowid;
insert into invoice_balance (invoice, account, currency, amount_minor)
select invoice, account, currency, sum(amount_minor) from line
where invoice <> '' and account in ('Receivable', 'Customer Credit')
group by invoice, account, currency having sum(amount_minor) <> 0;

create trigger entry_moves_balances after insert on balanced
begin
    insert into balance (account, currency, amount_minor)
    select account, currency, sum(amount_minor) from line where entry = new.entry group by account, currency
    on conflict (account, currency) do update set amount_minor = amount_minor + excluded.amount_minor;
    insert into invoice_balance (invoice, account, currency, amount_minor)
    select invoice, account, currency, sum(amount_minor) from line
    where entry = new.entry and invoice <> '' and account in ('Receivable', 'Customer Credit')
    group by invoice, account, currency
    on conflict (invoice, account, currency) do update set amount_minor = amount_minor + excluded.amount_minor;
    delete from invoice_balance
    where amount_minor = 0 and invoice in (select invoice from line where entry = new.entry and invoice <> '');
end;

create table over_returned (      -- payments of which more was given back than came in
    provider       text not null,
    payment        text not null,
    currency       text not null,
    captured_minor integer not null,
    returned_minor integer not null,
    primary key (provider, payment, currency)
) strict, without rowid;
insert into over_returned (provider, payment, currency, captured_minor, returned_minor)
select provider, payment, currency, sum(captured_minor), sum(returned_minor) from movement
group by provider, payment, currency having sum(returned_minor) > sum(captured_minor);

create trigger fact_moves_a_payment after insert on fact
when new.payment <> '' and new.kind in ('PaymentSucceeded', 'PaymentRefunded', 'RefundFailed')
begin
    delete from over_returned where provider = new.provider and payment = new.payment;
    insert into over_returned (provider, payment, currency, captured_minor, returned_minor)
    select provider, payment, currency, sum(captured_minor), sum(returned_minor) from movement
    where provider = new.provider and payment = new.payment
    group by currency having sum(returned_minor) > sum(captured_minor);
end;

create table unmatched (          -- payments that no invoice is known for: their money waits in Suspense
    provider text not null,
    payment  text not null,
    primary key (provider, payment)
) strict, without rowid;
insert into unmatched (provider, payment)
select distinct provider, payment from fact where kind = 'PaymentSucceeded' and not exists (
    select 1 from payment_invoice as match where match.provider = fact.provider and match.payment = fact.payment
);
create trigger payment_comes_unmatched after insert on fact when new.kind = 'PaymentSucceeded' and not exists (
    select 1 from payment_invoice where provider = new.provider and payment = new.payment
)
begin
    insert into unmatched (provider, payment) values (new.provider, new.payment) on conflict do nothing;
end;
create trigger payment_is_matched after insert on payment_invoice
begin
    delete from unmatched where provider = new.provider and payment = new.payment;
end;
