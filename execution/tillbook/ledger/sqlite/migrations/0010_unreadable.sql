-- Records of vendors that could not be understood, until they are read well or a person accepts them.

create table unreadable (
    vendor   text not null,
    record   text not null,
    field    text not null,
    reason   text not null,
    currency text not null,
    payment  text not null,           -- empty: of none that is known
    at       integer not null,        -- UTC seconds of the record itself, 0: not known
    seen_at  integer not null,        -- UTC seconds
    primary key (vendor, record, field)
) strict, without rowid;
