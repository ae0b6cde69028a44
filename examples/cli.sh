#!/bin/sh
# The command line in a script: readings into a table, what they come to, their types, and a copy that is compared.
#
#     sh examples/cli.sh                                        on a database file that is removed again
#     RQLITE_URL=http://localhost:4001 sh examples/cli.sh       on an rqlite server
#
# CLI is how it is started: in your project "deno run -A jsr:@tangled/rqlite/cli".
set -eu

: "${CLI:=deno run -A $(dirname "$0")/../src/cli/mod.ts}"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
if [ -z "${RQLITE_URL:-}" ]; then
  export RQLITE_URL="$work/app.db"
  : > "$RQLITE_URL"
fi

$CLI script - <<'SQL'
DROP TABLE IF EXISTS demo_readings;
CREATE TABLE demo_readings(sensor INTEGER, at TEXT, celsius REAL CHECK(celsius > -273));
SQL

cat > "$work/readings.csv" <<'CSV'
sensor,at,celsius
1,2026-01-02 03:00,20.5
2,2026-01-02 03:00,
1,2026-01-02 04:00,-400
CSV

# The last row is refused, and nothing of its request is in.
if $CLI import demo_readings "$work/readings.csv"; then exit 1; fi
sed '$d' "$work/readings.csv" | $CLI import demo_readings --format csv

# Values of somebody else are texts, whatever they look like.
day="2026-01-02"
$CLI query --text -- "SELECT * FROM demo_readings WHERE date(at) = ?" "$day"
$CLI query "SELECT count(*) AS n, avg(celsius) AS mean FROM demo_readings" --json

# What a row is, for a program in TypeScript.
$CLI types --out "$work/rows.ts"
grep -A 4 "interface DemoReadings " "$work/rows.ts"

$CLI dump "$work/copy.sql" --table demo_readings
$CLI restore "$work/copy.sql" --url "$work/copy.db" --create --yes
$CLI query "SELECT * FROM demo_readings" -f csv > "$work/here.csv"
$CLI query "SELECT * FROM demo_readings" -f csv --url "$work/copy.db" > "$work/there.csv"
cmp "$work/here.csv" "$work/there.csv" && echo "The copy is equal"

$CLI query "DROP TABLE demo_readings"
