#!/bin/sh
# Writes expected.txt anew: loads the sample shop into PostgreSQL and asks queries.sql.
#   PGHOST=... PGPORT=... PGUSER=... tests/shop/record.sh
# The database eloqdb_shop_record is made for it, and dropped.
set -eu
cd "$(dirname "$0")"
db=eloqdb_shop_record
errors=$(mktemp)
trap 'rm -f "$errors"; psql -X -q -d postgres -c "DROP DATABASE IF EXISTS $db"' EXIT
psql -X -q -d postgres -c "CREATE DATABASE $db"
sh ../../etc/make-shop.sh | psql -X -q -v ON_ERROR_STOP=1 -d "$db" -o /dev/null
psql -X -A -t -q -v VERBOSITY=sqlstate -d "$db" <queries.sql >expected.txt 2>"$errors"
{
    echo '== errors'
    cat "$errors"
} >>expected.txt
