-- name: refundable
select
    coalesce(sum(captured_minor), 0) as captured_minor,
    coalesce(sum(returned_minor), 0) as returned_minor,
    coalesce(sum(pending_minor), 0) as pending_minor
from movement where provider = :provider and payment = :payment and currency = :currency;

-- name: purpose   what a refund operation gives back
select operation.params ->> 'purpose' as purpose
from outflow join operation on operation.id = outflow.operation where outflow.operation = :operation;

-- name: release   its refund ended without moving money
update outflow set released_at = :now where operation = :operation and released_at is null;

-- name: over_returned
select * from over_returned order by provider, payment;
