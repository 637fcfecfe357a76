#!/usr/bin/env bash
# Fills the tables of bugbot (bugbot.sql) in a PostgreSQL of its own, which listens on no port, and dumps
# them into a folder: csv/ by COPY, json/ by row_to_json, and beside them what the API is to answer.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$1
bin=$(dirname "$(find /usr/lib/postgresql -path '*/bin/initdb' | sort -V | tail -1)")
home=$(mktemp -d)
# It doesn't run as root.
as=()
if [[ $EUID -eq 0 ]]; then
    as=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    chown 65534:65534 "$home"
fi
stop() {
    "${as[@]}" "$bin/pg_ctl" -D "$home/db" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap stop EXIT
cd "$home"
"${as[@]}" "$bin/initdb" -D "$home/db" -U bugbot -A trust -E UTF8 --locale=C --no-sync >/dev/null
"${as[@]}" "$bin/pg_ctl" -D "$home/db" -w -l "$home/log" \
    -o "-c listen_addresses='' -c unix_socket_directories='$home' -c fsync=off" start >/dev/null

ask() { "$bin/psql" -h "$home" -U bugbot -d postgres -v ON_ERROR_STOP=1 -qAt "$@"; }
ask -f "$here/bugbot.sql"
mkdir -p "$out/csv" "$out/json"
zone="set timezone = 'Asia/Kolkata'"
for table in teams service_team_mapping oncall_schedules oncall_overrides oncall_history; do
    ask -c "$zone" -c "copy $table to stdout csv header" >"$out/csv/$table.csv"
    ask -c "$zone" -c "select row_to_json(t) from $table t" >"$out/json/$table.jsonl"
done
ask -c "select json_object_agg(team_id, rows) from (
    select team_id, json_agg(json_build_object('id', id, 'engineer_slack_id', engineer_slack_id,
        'previous_engineer_slack_id', previous_engineer_slack_id, 'change_type', change_type,
        'change_reason', change_reason, 'effective_date', effective_date, 'changed_by', changed_by,
        'created_at', to_char(created_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'))
        order by created_at desc) as rows
    from oncall_history group by team_id) t" >"$out/history.json"
ask -c "select json_agg(json_build_object('id', id, 'name', service_name, 'team_id', team_id,
        'repository_url', github_repo, 'environment', environment, 'tier', coalesce(tier, 'standard'),
        'owner_slack_id', owner_slack_id, 'tech_stack', coalesce(tech_stack, '{}'),
        'metadata', coalesce(metadata, '{}')) order by service_name)
    from service_team_mapping" >"$out/services.json"
