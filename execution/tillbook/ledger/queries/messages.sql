-- name: add
insert into message (key, kind, invoice, fact, next_attempt_at, created_at)
values (:key, :kind, :invoice, (select seq from fact where provider = :provider and key = :fact_key), :now, :now)
on conflict (key) do nothing;

-- name: fact
select fact.kind, fact.body from message join fact on fact.seq = message.fact where message.key = :key;

-- name: by_key
select * from message where key = :key;

-- name: due
select * from message where state = 'waiting' and next_attempt_at <= :now and created_at >= :not_before
order by created_at, key limit :most;

-- name: count_waiting
select count(*) as number from message where state = 'waiting';

-- name: held_up   what was tried, could not be sent yet and is not stale, by the reason
select reason, count(*) as number from message
where state = 'waiting' and attempts > 0 and created_at >= :not_before group by reason order by reason;

-- name: hurry   what held them up has ended
update message set next_attempt_at = :now where state = 'waiting' and next_attempt_at > :now;

-- name: stale
select * from message where state = 'waiting' and created_at < :not_before order by created_at, key;

-- name: of_invoice
select * from message where invoice = :invoice order by created_at, key;

-- name: mark_sent
update message set state = 'sent', message_id = :message_id, sent_to = :sent_to, sent_at = :now, reason = ''
where key = :key and state = 'waiting';

-- name: end
update message set state = :state, reason = :reason where key = :key and state = 'waiting';

-- name: delay
update message set attempts = attempts + 1, reason = :reason, next_attempt_at = :next_attempt_at where key = :key;
