-- The first sale: operations, inbox, facts and their entries, documents, messages, and what a sale is made of.
-- Amounts are integers in minor units beside their currency; times are UTC seconds given by the caller.

pragma application_id = 1416195180;   -- 'Till': how a ledger is told from another program's file

create table binding (            -- which mode and which vendor accounts this ledger belongs to
    name  text primary key check (name in ('mode', 'stripe', 'quickbooks')),
    value text not null check (value <> '')
) strict;

create table proven_key (         -- keys of ours that were seen to lead to the account of that binding
    fingerprint text primary key,
    name        text not null references binding (name)
) strict;

create trigger binding_is_for_ever before update on binding
begin select raise(abort, 'a ledger belongs to the same accounts for ever'); end;
create trigger binding_is_kept before delete on binding
begin select raise(abort, 'a ledger belongs to the same accounts for ever'); end;

create table operation (
    id           text primary key,
    kind         text not null,
    subject      text not null,
    generation   integer not null check (generation >= 1),
    door         text not null,
    params       text not null check (json_valid(params)),
    params_hash  text not null,
    state        text not null check (state in ('prepared', 'sent', 'done', 'refused', 'unknown')),
    result       text check (json_valid(result)),
    reason       text not null default '',   -- why it was refused or is unknown
    renewed      text not null default '',   -- why there is another generation
    asked_by     text not null,
    prepared_at  integer not null,
    sent_at      integer,
    ended_at     integer,
    absent_since integer,
    unique (kind, subject, generation),
    check ((state = 'done') = (result is not null)),
    check ((state in ('done', 'refused')) = (ended_at is not null))
) strict;
create unique index operation_unfinished on operation (kind, subject) where state in ('prepared', 'sent', 'unknown');
create index operation_state on operation (state) where state in ('prepared', 'sent', 'unknown');

create trigger operation_starts_prepared before insert on operation when new.state <> 'prepared'
begin select raise(abort, 'an operation starts prepared'); end;

create trigger operation_moves_forward before update of state on operation
when not (
    old.state = new.state and old.state in ('prepared', 'sent', 'unknown')
    or old.state = 'prepared' and new.state in ('sent', 'refused')
    or old.state = 'sent' and new.state in ('done', 'refused', 'unknown', 'prepared')
    or old.state = 'unknown' and new.state in ('done', 'refused')
)
begin select raise(abort, 'an operation cannot go from that state to this one'); end;

create trigger operation_is_frozen before update on operation
when old.state in ('done', 'refused') or (old.id, old.kind, old.subject, old.generation, old.door, old.params, old.params_hash)
    is not (new.id, new.kind, new.subject, new.generation, new.door, new.params, new.params_hash)
begin select raise(abort, 'what an operation asks for never changes, and an ended one stays as it is'); end;

create trigger operation_is_kept before delete on operation
begin select raise(abort, 'operations are never deleted'); end;

create table inbox (
    id              integer primary key,
    provider        text not null,
    event           text not null,          -- the vendor's event id
    type            text not null,
    object          text not null,          -- what to read; empty when the type means nothing to us
    account         text not null,
    livemode        integer not null check (livemode in (0, 1)),
    api_version     text not null,
    created_at      integer not null,
    received_at     integer not null,
    source          text not null check (source in ('webhook', 'poll')),
    body            blob not null,
    state           text not null default 'new' check (state in ('new', 'applied', 'ignored', 'parked')),
    reason          text not null default '',
    attempts        integer not null default 0,
    next_attempt_at integer not null,
    ended_at        integer,
    unique (provider, event),
    check (state <> 'parked' or reason <> '')
) strict;
create index inbox_waiting on inbox (next_attempt_at, id) where state in ('new', 'parked');

create trigger inbox_keeps_what_was_said before update on inbox
when (old.provider, old.event, old.type, old.object, old.account, old.livemode, old.created_at, old.received_at, old.body)
    is not (new.provider, new.event, new.type, new.object, new.account, new.livemode, new.created_at, new.received_at, new.body)
begin select raise(abort, 'what a vendor said never changes'); end;
create trigger inbox_is_kept before delete on inbox
begin select raise(abort, 'the inbox keeps every event'); end;

create table form (               -- orders that were submitted to /forms/sales
    number      text primary key check (length(number) between 1 and 21),
    order_json  text not null check (json_valid(order_json)),
    received_at integer not null,
    state       text not null default 'waiting' check (state in ('waiting', 'invoiced', 'refused')),
    reason      text not null default '',
    ended_at    integer,
    check (state <> 'refused' or reason <> '')
) strict;
create index form_waiting on form (received_at) where state = 'waiting';
create trigger form_is_kept before delete on form
begin select raise(abort, 'submitted forms are never deleted'); end;

create table fact (
    seq         integer primary key,
    provider    text not null,
    key         text not null,
    kind        text not null,
    payment     text not null default '',   -- the vendor's payment that it belongs to
    invoice     text not null default '',   -- the invoice that it is about, for facts of the books
    occurred_at integer not null,
    recorded_at integer not null,
    body        text not null check (json_valid(body)),
    hash        text not null,
    unique (provider, key)
) strict;
create index fact_payment on fact (provider, payment) where payment <> '';
create index fact_invoice on fact (invoice) where invoice <> '';

create trigger fact_is_for_ever before update on fact begin select raise(abort, 'facts are append-only'); end;
create trigger fact_is_kept before delete on fact begin select raise(abort, 'facts are append-only'); end;

create table seal (               -- a closed range of facts, chained to the one before
    id        integer primary key,
    first_seq integer not null,
    last_seq  integer not null unique check (last_seq >= first_seq),
    previous  text not null unique,
    hash      text not null unique,
    sealed_at integer not null
) strict;
create trigger seal_is_for_ever before update on seal begin select raise(abort, 'seals are append-only'); end;
create trigger seal_is_kept before delete on seal begin select raise(abort, 'seals are append-only'); end;
create trigger seal_follows_the_last before insert on seal
when new.first_seq <> coalesce((select max(last_seq) from seal), 0) + 1
begin select raise(abort, 'a seal starts where the last one ended'); end;

-- An entry is complete when its row in `balanced` exists; the deferred reference refuses a commit without it, and the
-- trigger on `balanced` refuses unequal sums. So no transaction can leave an unbalanced entry behind.
create table entry (
    id          integer primary key,
    fact        integer not null references fact (seq),
    reason      text not null,
    recorded_at integer not null,
    foreign key (id) references balanced (entry) deferrable initially deferred
) strict;
create index entry_fact on entry (fact);

create table line (
    entry        integer not null references entry (id),
    position     integer not null,
    account      text not null,
    amount_minor integer not null check (amount_minor <> 0),   -- debit positive, credit negative
    currency     text not null,
    invoice      text not null default '',                     -- for Receivable and Customer Credit
    primary key (entry, position)
) strict;
create index line_invoice on line (invoice, account) where invoice <> '';

create table balanced (entry integer primary key references entry (id)) strict;

create trigger entry_balances before insert on balanced
when not exists (select 1 from line where entry = new.entry)
    or exists (select 1 from line where entry = new.entry group by currency having sum(amount_minor) <> 0)
begin select raise(abort, 'debits and credits of an entry are equal in every currency'); end;

create trigger line_joins_an_open_entry before insert on line
when exists (select 1 from balanced where entry = new.entry)
begin select raise(abort, 'an entry that balances takes no more lines'); end;

create trigger entry_is_for_ever before update on entry begin select raise(abort, 'entries are append-only'); end;
create trigger entry_is_kept before delete on entry begin select raise(abort, 'entries are append-only'); end;
create trigger line_is_for_ever before update on line begin select raise(abort, 'entries are append-only'); end;
create trigger line_is_kept before delete on line begin select raise(abort, 'entries are append-only'); end;
create trigger balanced_is_for_ever before update on balanced begin select raise(abort, 'entries are append-only'); end;
create trigger balanced_is_kept before delete on balanced begin select raise(abort, 'entries are append-only'); end;

create table company (            -- what the books said about the company when it was connected
    realm   text primary key,
    body    text not null check (json_valid(body)),
    read_at integer not null
) strict;

create table account (            -- accounts in the books that our documents use
    name          text primary key,
    quickbooks_id text not null unique,
    currency      text not null
) strict;

create table customer (
    quickbooks_id text primary key,
    name          text not null,    -- as the customer writes it
    display_name  text not null,    -- as QuickBooks allows it
    email         text not null,
    currency      text not null
) strict;
create index customer_email on customer (email);

create table invoice (
    number        text primary key check (length(number) between 1 and 21),
    order_json    text not null check (json_valid(order_json)),   -- '{}' for one made by hand in QuickBooks
    quickbooks_id text unique,
    customer      text references customer (quickbooks_id),
    currency      text not null,
    total_minor   integer,
    tax_minor     integer,
    balance_minor integer,                                        -- open in QuickBooks when it was last read
    due           text not null,
    problem       text not null default '',                       -- why nothing may be charged for it
    token         text not null unique,                           -- the secret part of its pay link
    created_at    integer not null
) strict;

create table checkout (
    id           text primary key,
    provider     text not null,
    invoice      text not null references invoice (number),
    operation    text not null unique references operation (id),
    url          text not null,
    amount_minor integer not null check (amount_minor > 0),
    currency     text not null,
    expires_at   integer,                                         -- null: it lasts until it is paid or closed
    status       text not null check (status in ('open', 'processing', 'paid', 'expired')),
    created_at   integer not null
) strict;
create unique index checkout_open on checkout (invoice, provider, expires_at is null) where status = 'open';

create table payment_invoice (    -- which invoice a payment is for, and how we know
    provider   text not null,
    payment    text not null,
    invoice    text not null references invoice (number),
    evidence   text not null,
    matched_at integer not null,
    primary key (provider, payment)
) strict;
create index payment_of_invoice on payment_invoice (invoice);

create table document (
    key             text primary key,
    kind            text not null,
    provider        text not null,
    invoice         text not null default '',
    payment         text not null default '',
    amount_minor    integer not null,
    currency        text not null,
    occurred_at     integer not null,
    state           text not null default 'waiting' check (state in ('waiting', 'posted', 'failed')),
    quickbooks_id   text,
    reason          text not null default '',
    attempts        integer not null default 0,
    next_attempt_at integer not null,
    created_at      integer not null,
    posted_at       integer,
    check ((state = 'posted') = (quickbooks_id is not null)),
    check (state <> 'failed' or reason <> '')
) strict;
create index document_waiting on document (next_attempt_at) where state = 'waiting';
create index document_invoice on document (invoice) where invoice <> '';
create trigger document_is_frozen before update on document
when (old.key, old.kind, old.provider, old.invoice, old.payment, old.amount_minor, old.currency, old.occurred_at)
    is not (new.key, new.kind, new.provider, new.invoice, new.payment, new.amount_minor, new.currency, new.occurred_at)
begin select raise(abort, 'what a document records never changes'); end;
create trigger document_is_kept before delete on document
begin select raise(abort, 'documents are never deleted'); end;

create table document_fact (      -- a fact is in at most one document per kind
    document text not null references document (key),
    kind     text not null,
    fact     integer not null references fact (seq),
    primary key (kind, fact)
) strict, without rowid;
create index document_facts on document_fact (document);
create trigger document_fact_is_for_ever before update on document_fact
begin select raise(abort, 'what a document records never changes'); end;
create trigger document_fact_is_kept before delete on document_fact
begin select raise(abort, 'what a document records never changes'); end;

create table message (
    key             text primary key,
    kind            text not null,
    invoice         text not null references invoice (number),
    provider        text not null default '',
    payment         text not null default '',
    state           text not null default 'waiting' check (state in ('waiting', 'sent', 'failed', 'withdrawn')),
    reason          text not null default '',
    message_id      text,
    sent_to         text,
    attempts        integer not null default 0,
    next_attempt_at integer not null,
    created_at      integer not null,
    sent_at         integer,
    check ((state = 'sent') = (sent_at is not null)),
    check (state not in ('failed', 'withdrawn') or reason <> '')
) strict;
create index message_waiting on message (next_attempt_at) where state = 'waiting';
create index message_invoice on message (invoice);
create trigger message_is_frozen before update on message
when old.state = 'sent' or (old.key, old.kind, old.invoice, old.provider, old.payment, old.created_at)
    is not (new.key, new.kind, new.invoice, new.provider, new.payment, new.created_at)
begin select raise(abort, 'what a mail is about never changes, and a sent one stays sent'); end;
create trigger message_is_kept before delete on message
begin select raise(abort, 'messages are never deleted'); end;

create table cursor (
    name  text primary key,
    value integer not null
) strict;

create table activity (           -- every command with its outcome
    id          integer primary key,
    started_at  integer not null,
    script      text not null,
    arguments   text not null check (json_valid(arguments)),
    asked_by    text not null,
    exit_code   integer,
    outcome     text not null default '',
    ended_at    integer
) strict;
