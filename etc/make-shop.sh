#!/bin/sh
# The sample shop as a PostgreSQL script: 24 countries, 2,000 customers, 500 products, 20,000 orders,
# 60,000 order lines. Always the same, byte for byte; needs nothing but awk.
#   etc/make-shop.sh > shop.sql        then: psql -v ON_ERROR_STOP=1 -f shop.sql
#   etc/make-shop.sh | psql -v ON_ERROR_STOP=1
set -eu
case ${1-} in
    '') ;;
    -h | --help)
        sed -n '2,5s/^# //p' "$0"
        exit 0
        ;;
    *)
        echo "make-shop.sh: unknown argument $1" >&2
        exit 2
        ;;
esac
# Bytes, not characters: every awk then does the same.
LC_ALL=C exec awk -f "$(dirname "$0")/make-shop.awk"
