-- name: begin
insert into activity (started_at, script, arguments, asked_by) values (:now, :script, :arguments, :asked_by);

-- name: end
update activity set exit_code = :exit_code, outcome = :outcome, ended_at = :now where id = :id;

-- name: cursor
select value from cursor where name = :name;

-- name: set_cursor   a cursor only moves forward
insert into cursor (name, value) values (:name, :value)
on conflict (name) do update set value = max(value, excluded.value);
