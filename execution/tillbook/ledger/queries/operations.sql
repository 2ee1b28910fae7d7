-- name: last
select * from operation where kind = :kind and subject = :subject order by generation desc limit 1;

-- name: by_id
select * from operation where id = :id;

-- name: unfinished
select * from operation where state in ('prepared', 'sent', 'unknown') order by prepared_at, id limit :most;

-- name: unfinished_before
select * from operation
where state in ('prepared', 'sent', 'unknown') and prepared_at < :prepared_at order by prepared_at, id;

-- name: prepare
insert into operation (id, kind, subject, generation, door, params, params_hash, state, renewed, asked_by, prepared_at)
values (:id, :kind, :subject, :generation, :door, :params, :params_hash, 'prepared', :renewed, :asked_by, :now);

-- name: mark_sent   the first time only: the vendor's window counts from there
update operation set state = 'sent', sent_at = coalesce(sent_at, :now) where id = :id and state = 'prepared';

-- name: mark_prepared   nothing left us
update operation set state = 'prepared', sent_at = null, reason = :reason where id = :id and state = 'sent';

-- name: mark_unknown
update operation set state = 'unknown', reason = :reason where id = :id and state in ('sent', 'unknown');

-- name: mark_absent   the first complete read that lacked it
update operation set absent_since = coalesce(absent_since, :now) where id = :id;

-- name: mark_done
update operation set state = 'done', result = :result, reason = '', ended_at = :now where id = :id;

-- name: mark_refused
update operation set state = 'refused', reason = :reason, ended_at = :now where id = :id;
