-- name: add   the same order again changes nothing
insert into form (number, order_json, received_at) values (:number, :order_json, :now) on conflict (number) do nothing;

-- name: by_number
select * from form where number = :number;

-- name: waiting
select * from form where state = 'waiting' order by received_at, number limit :most;

-- name: count
select 'waiting' as state, count(*) as number from form where state = 'waiting'
union all select 'refused', count(*) from form where state = 'refused';

-- name: refused
select * from form where state = 'refused' order by received_at, number;

-- name: delay   why it is no invoice yet
update form set reason = :reason where number = :number and state = 'waiting';

-- name: held_up   what was tried and is no invoice yet, by the reason
select reason, count(*) as number from form where state = 'waiting' and reason <> '' group by reason order by reason;

-- name: end
update form set state = :state, reason = :reason, ended_at = :now where number = :number and state = 'waiting';
