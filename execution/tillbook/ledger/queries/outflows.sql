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

-- name: wrong_over_returned   payments that are kept as over-returned and are not, or the other way round
-- scans: the full check adds up every payment
select provider, payment from (
    select provider, payment, currency, sum(captured_minor) as captured, sum(returned_minor) as returned, 1 as sign
    from movement group by provider, payment, currency having sum(returned_minor) > sum(captured_minor)
    union all
    select provider, payment, currency, captured_minor, returned_minor, -1 from over_returned
) group by provider, payment, currency, captured, returned having sum(sign) <> 0 order by provider, payment;

-- name: over_returned
select * from over_returned order by provider, payment;
