-- name: company
select body from company where realm = :realm;

-- name: save_company
insert into company (realm, body, read_at) values (:realm, :body, :now)
on conflict (realm) do update set body = excluded.body, read_at = excluded.read_at;

-- name: account
select * from account where name = :name;

-- name: add_account
insert into account (name, quickbooks_id, currency) values (:name, :quickbooks_id, :currency)
on conflict (name) do update set quickbooks_id = excluded.quickbooks_id;

-- name: customer
select * from customer where quickbooks_id = :quickbooks_id;

-- name: customers_by_email
select * from customer where email = :email collate nocase;

-- name: save_customer
insert into customer (quickbooks_id, name, display_name, email, currency)
values (:quickbooks_id, :name, :display_name, :email, :currency)
on conflict (quickbooks_id) do update set name = excluded.name, email = excluded.email;

-- name: invoice
select * from invoice where number = :number;

-- name: invoice_by_quickbooks_id
select * from invoice where quickbooks_id = :quickbooks_id;

-- name: newest_invoice_of
select * from invoice where customer = :customer order by created_at desc, number desc limit 1;

-- name: invoice_by_token
select * from invoice where token = :token;

-- name: invoices_of_email
select invoice.* from invoice join customer on customer.quickbooks_id = invoice.customer
where customer.email = :email collate nocase order by invoice.created_at, invoice.number;

-- name: add_invoice
insert into invoice (number, order_json, currency, due, token, created_at)
values (:number, :order_json, :currency, :due, :token, :now);

-- name: book_invoice
update invoice set quickbooks_id = :quickbooks_id, customer = :customer, total_minor = :total_minor,
    tax_minor = :tax_minor, balance_minor = :balance_minor, problem = :problem where number = :number;

-- name: reorder   nothing stands in the books under this number: from now on it means another order
update invoice set order_json = :order_json, currency = :currency, due = :due, created_at = :now, quickbooks_id = null,
    customer = null, total_minor = null, tax_minor = null, balance_minor = null, problem = '', voided_at = null
where number = :number;

-- name: end_invoice
update invoice set problem = '', voided_at = :now where number = :number;

-- name: unsound   nothing is paid of it: what a person changed after a payment is a difference of another kind
select * from invoice where problem <> '' and balance_minor = total_minor order by number limit :most;

-- name: book_unread_invoice
update invoice set quickbooks_id = :quickbooks_id, customer = :customer, problem = :problem where number = :number;

-- name: set_balance
update invoice set balance_minor = :balance_minor where number = :number;

-- name: checkout
select * from checkout where id = :id;

-- name: checkout_of_operation
select * from checkout where operation = :operation;

-- name: doubtful_checkouts   pages that may end by themselves, and those that ask for other than what is open
with doubtful (invoice, created_at) as (
    select invoice, created_at from checkout
    where status in ('open', 'processing') and (
        status = 'processing' or expires_at is not null
        or amount_minor <> (select coalesce(balance_minor, 0) from invoice where number = checkout.invoice) - (
            select coalesce(sum(amount_minor), 0) from document
            where document.invoice = checkout.invoice and purpose = 'payment' and state <> 'posted'))
    union all
    select checkout.invoice, checkout.created_at from operation join checkout on checkout.id = operation.subject
    where operation.state in ('prepared', 'sent', 'unknown') and operation.kind = 'capture_checkout'
)
select invoice, min(created_at) as since from doubtful group by invoice order by since, invoice limit :most;

-- name: oldest_open_checkout
select min(created_at) as created_at from checkout where status in ('open', 'processing');

-- name: checkouts_of_invoice
select * from checkout where invoice = :invoice order by created_at, id;

-- name: add_checkout
insert into checkout (id, provider, invoice, operation, url, amount_minor, currency, expires_at, status, created_at)
values (:id, :provider, :invoice, :operation, :url, :amount_minor, :currency, :expires_at, 'open', :now)
on conflict (id) do nothing;

-- name: set_checkout_status
update checkout set status = :status, reason = :reason, used = max(used, :status = 'processing')
where id = :id and status <> :status;

-- name: unpaid_checkouts
select * from checkout where provider = :provider and status in ('open', 'processing') order by created_at, id;

-- name: uncaptured_checkouts   it was seen used, or an event told of it, and nothing was paid since
select checkout.* from invoice cross join checkout on checkout.invoice = invoice.number
where coalesce(invoice.balance_minor, 1) > 0 and checkout.provider = :provider and checkout.status = 'expired'
and (used = 1 and reason <> ''
    or exists (select 1 from inbox where inbox.object = checkout.id and inbox.provider = :provider))
and not exists (
    select 1 from payment_invoice as match join fact on fact.provider = match.provider and fact.payment = match.payment
    where match.invoice = checkout.invoice and fact.kind = 'PaymentSucceeded' and +fact.occurred_at >= checkout.created_at
) order by checkout.created_at, checkout.id;

-- name: match
insert into payment_invoice (provider, payment, invoice, evidence, matched_at)
values (:provider, :payment, :invoice, :evidence, :now)
on conflict (provider, payment) do nothing;

-- name: match_of
select * from payment_invoice where provider = :provider and payment = :payment;

-- name: count_invoices
-- scans: the full check says how many there are
select count(*) as number from invoice;

-- name: invoice_numbers
-- scans: the full check looks at every invoice
select number from invoice order by created_at, number;

-- name: payments_named   payments that brought money, by any id that leads to them
with named (provider, payment) as (
    select provider, payment from fact where payment = :name
    union select provider, payment from fact where key = :name
    union select provider, payment from fact where body ->> 'refund' = :name
    union select provider, payment from payment_invoice where invoice = :name
    union select match.provider, match.payment from checkout join payment_invoice as match
        on match.invoice = checkout.invoice and match.evidence = 'operation ' || checkout.operation
        where checkout.id = :name
    union select provider, payment from document where key = :name
    union select provider, payment from document where quickbooks_id = :name
)
select provider, payment from named where payment <> '' and exists (
    select 1 from fact
    where fact.provider = named.provider and fact.payment = named.payment and fact.kind = 'PaymentSucceeded'
);

-- name: item
select quickbooks_id from item where name = :name;

-- name: add_item
insert into item (name, quickbooks_id) values (:name, :quickbooks_id)
on conflict (name) do update set quickbooks_id = excluded.quickbooks_id;
