-- name: add   the same order again changes nothing; a corrected one takes a number for which nothing stands
insert into form (number, order_json, received_at) values (:number, :order_json, :now)
on conflict (number) do update
set order_json = excluded.order_json, received_at = excluded.received_at, state = 'waiting', reason = '', ended_at = null
where form.order_json <> excluded.order_json and (
    form.state in ('refused', 'dismissed')
    or exists (select 1 from invoice where invoice.number = form.number and voided_at is not null));

-- name: leave_out   what came is not kept: nothing is made of it
insert into form (number, order_json, received_at, state, reason, ended_at)
values (:number, '{}', :now, 'dismissed', :reason, :now) on conflict (number) do nothing;

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

-- name: dismiss
update form set state = 'dismissed', reason = :reason, ended_at = :now where number = :number and state = 'refused';

-- name: reopen   what was wrong is mended: it is tried again
update form set state = 'waiting', reason = '', ended_at = null where number = :number and state = 'refused';
