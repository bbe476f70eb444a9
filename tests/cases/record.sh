#!/bin/sh
# Writes cases.txt, parameters.txt and catalog.txt anew, with PostgreSQL's answers.
#   PGHOST=127.0.0.1 PGPORT=5432 PGUSER=… PGPASSWORD=… tests/cases/record.sh
# The database eloqdb_cases_record is made for it, and dropped.
set -eu
cd "$(dirname "$0")/../.."
db=eloqdb_cases_record
trap 'psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db"' EXIT
psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db" -c "CREATE DATABASE $db TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
ELOQDB_CASES_RECORD="host=$PGHOST port=$PGPORT user=$PGUSER password=${PGPASSWORD:-} dbname=$db" \
    cargo test -p dbtests --test cases -- --ignored --exact the_answers_are_recorded
