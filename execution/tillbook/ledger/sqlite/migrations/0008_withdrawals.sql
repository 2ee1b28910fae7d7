-- What a person accepted can be taken back by a person. The acceptance stays written down, and so does its end.

create table withdrawal (
    acceptance   integer primary key references acceptance (id),
    reason       text not null check (reason <> ''),
    withdrawn_by text not null,
    withdrawn_at integer not null
) strict;
create trigger withdrawal_is_for_ever before update on withdrawal
begin select raise(abort, 'what a person took back stays written down'); end;
create trigger withdrawal_is_kept before delete on withdrawal
begin select raise(abort, 'what a person took back stays written down'); end;

create view standing_acceptance as
select * from acceptance where not exists (select 1 from withdrawal where withdrawal.acceptance = acceptance.id);

create view dismissed_event as    -- parked, and a person accepted that it never can be read
select inbox.id from standing_acceptance join inbox on inbox.event = standing_acceptance.subject
where standing_acceptance.type = 'parked_event' and inbox.state = 'parked';
create index acceptance_of_event on acceptance (subject) where type = 'parked_event';
