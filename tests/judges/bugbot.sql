-- The tables of bugbot, with rows of every kind, and texts that are hard to dump.
set timezone = 'Asia/Kolkata';

create table teams (
    id uuid primary key, slack_group_id text not null, description text, slack_channel_id text,
    is_active boolean not null default true, created_at timestamptz not null, updated_at timestamptz
);
create table service_team_mapping (
    id uuid primary key, service_name text not null, team_id uuid not null references teams,
    github_repo text, environment text, tier text, owner_slack_id text, tech_stack text[],
    metadata jsonb, created_at timestamptz not null
);
create table oncall_schedules (
    id uuid primary key, team_id uuid not null references teams, engineer_slack_id text not null,
    start_date date not null, end_date date not null, created_by text, created_at timestamptz not null
);
create table oncall_overrides (
    id uuid primary key, team_id uuid not null references teams, substitute_slack_id text not null,
    start_date date not null, end_date date not null, reason text, created_by text,
    created_at timestamptz not null
);
create table oncall_history (
    id uuid primary key, team_id uuid not null references teams, engineer_slack_id text,
    previous_engineer_slack_id text, change_type text not null, change_reason text,
    effective_date date, changed_by text, created_at timestamptz not null
);

create function key(kind text, n int) returns uuid language sql immutable as
    $$ select md5(kind || n)::uuid $$;
create function hard(n int) returns text language sql immutable as
    $$ select (array[null, '', 'plain', 'a, b', E'two\nlines', 'say "hi"', E'back\\slash', '\N', ' spaced ',
        'naïve 東京 🎉', '{braces}', '''single''', 'NULL'])[1 + n % 13] $$;

insert into teams select key('team', n), 'S0TEAM' || n, hard(n), nullif('C' || n, 'C3'), n <> 4,
    timestamptz '2020-01-01 12:34:56.789+00' + n * interval '1 day', null from generate_series(1, 5) n;
insert into service_team_mapping select key('service', n), 'service ' || n, key('team', 1 + n % 5),
    'https://github.com/acme/' || n, (array['production', null])[1 + n % 2],
    (array['critical', 'standard', 'low', null])[1 + n % 4], nullif('UOWN' || n, 'UOWN7'),
    (array['{}', '{rust,"two words"}', '{"a,b","c\"d","e\\f"}', null])[1 + n % 4]::text[],
    (array['{"runbook": "https://wiki/x", "deep": {"a": [1, null, "é\"\\"]}}', '{}', null])[1 + n % 3]::jsonb,
    '2021-03-28 00:30:00+00' from generate_series(1, 24) n;
insert into oncall_schedules select key('schedule', n), key('team', 1 + n % 5), 'UENG' || n % 7,
    date '2021-01-01' + n * 2, date '2021-01-01' + n * 2 + 6, nullif('ULEAD' || n % 3, 'ULEAD0'),
    '2021-01-01 00:00:00+00' from generate_series(1, 200) n;
insert into oncall_overrides select key('override', n), key('team', 1 + n % 5), 'USUB' || n % 7,
    date '2021-01-01' + n * 2, date '2021-01-01' + n * 2 + n % 3, hard(n), 'UENG' || n % 7,
    '2021-01-01 00:00:00.5+00' from generate_series(1, 200) n;
insert into oncall_history select key('history', n), key('team', 1 + n % 5), nullif('UENG' || n % 7, 'UENG0'),
    nullif('UENG' || n % 6, 'UENG1'),
    (array['manual', 'auto_rotation', 'schedule_created', 'schedule_updated', 'schedule_deleted',
        'override_created', 'override_deleted'])[1 + n % 7],
    hard(n), nullif(date '2021-01-01' + n, '2021-01-05'), nullif('ULEAD' || n % 3, 'ULEAD0'),
    timestamptz '2021-01-01 00:00:00+00' + ((n * 7919) % 500) * interval '1 hour 1.001 second'
    from generate_series(1, 500) n;
