-- name: add
insert into document (key, kind, purpose, provider, invoice, payment, amount_minor, currency, occurred_at, next_attempt_at, created_at)
values (:key, :kind, :purpose, :provider, :invoice, :payment, :amount_minor, :currency, :occurred_at, :now, :now)
on conflict (key) do nothing;

-- name: add_fact
insert into document_fact (document, kind, fact)
select :document, :kind, seq from fact where provider = :provider and key = :fact_key
on conflict (kind, fact) do nothing;

-- name: facts   what a document records, oldest first
select fact.kind, fact.body from document_fact join fact on fact.seq = document_fact.fact
where document_fact.document = :key order by fact.seq;

-- name: recording   the document of one purpose that records a fact
select document.* from fact
join document_fact on document_fact.fact = fact.seq
join document on document.key = document_fact.document
where fact.provider = :provider and fact.key = :fact_key and document.purpose = :purpose;

-- name: due
select * from document where state = 'waiting' and next_attempt_at <= :now order by occurred_at, key limit :most;

-- name: count_waiting
select count(*) as number from document where state = 'waiting';

-- name: held_up   what was tried and could not be posted yet, by the reason
select reason, count(*) as number from document where state = 'waiting' and attempts > 0 group by reason order by reason;

-- name: hurry   what held them up has ended
update document set next_attempt_at = :now where state = 'waiting' and next_attempt_at > :now;

-- name: by_key
select * from document where key = :key;

-- name: of_invoice
select * from document where invoice = :invoice order by occurred_at, key;

-- name: of_payment
select * from document where provider = :provider and payment = :payment order by occurred_at, key;

-- name: unposted_of_invoice
select coalesce(sum(amount_minor), 0) as amount_minor from document
where invoice = :invoice and purpose = 'payment' and state <> 'posted';

-- name: mark_posted
update document set state = 'posted', quickbooks_id = :quickbooks_id, posted_at = :now, reason = :note where key = :key;

-- name: noted   and not dismissed by a person
select * from document where state = 'posted' and reason <> '' and not exists (
    select 1 from standing_acceptance where subject = document.key and type = 'note_on_document'
) order by occurred_at, key;

-- name: mark_failed
update document set state = 'failed', reason = :reason where key = :key and state = 'waiting';

-- name: mark_waiting   a person changed what was wrong
update document set state = 'waiting', reason = '', attempts = 0, next_attempt_at = :now
where key = :key and state = 'failed';

-- name: reopen   QuickBooks does not hold it any more
update document set state = 'waiting', quickbooks_id = null, posted_at = null, reason = :reason, attempts = 0,
    next_attempt_at = :now where key = :key and state = 'posted';

-- name: delay
update document set attempts = attempts + 1, reason = :reason, next_attempt_at = :next_attempt_at where key = :key;

-- name: failed
select * from document where state = 'failed' order by occurred_at, key;
