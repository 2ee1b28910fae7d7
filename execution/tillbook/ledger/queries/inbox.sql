-- name: add   a second delivery of the same event changes nothing, nor does another event by the same delivery
insert into inbox (provider, event, type, object, account, livemode, api_version, created_at, received_at, source, body, next_attempt_at, delivery)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict do nothing;

-- name: other_by_delivery   what came by this delivery and is not this message
select event from inbox
where provider = :provider and delivery = :delivery and delivery <> '' and (event <> :event or body <> :body);

-- name: due
select id, provider, event, type, object, account, livemode, attempts, created_at, received_at
from inbox where state in ('new', 'parked') and next_attempt_at <= :now and id not in (select id from dismissed_event)
order by next_attempt_at, id limit :most;

-- name: same_object   what waits for the same object is answered by the same read
select id, provider, event, type, object, account, livemode, attempts, created_at, received_at
from inbox where provider = :provider and object = :object and account = :account and livemode = :livemode
and state in ('new', 'parked') order by id;

-- name: end
update inbox set state = :state, reason = :reason, ended_at = :now where id = :id and state in ('new', 'parked');

-- name: park
update inbox set state = 'parked', reason = :reason, attempts = attempts + 1, next_attempt_at = :next_attempt_at
where id = :id and state in ('new', 'parked');

-- name: waiting
select count(*) as number, min(received_at) as oldest from inbox
where state in ('new', 'parked') and id not in (select id from dismissed_event);

-- name: parked   and not dismissed by a person
select id, provider, event, type, object, reason, received_at, next_attempt_at from inbox
where state = 'parked' and id not in (select id from dismissed_event) order by id;

-- name: newest   among the last ten thousand
select provider, max(received_at) as received_at from inbox
where id > (select max(id) from inbox) - 10000 group by +provider;   -- by row, not through the index of all
