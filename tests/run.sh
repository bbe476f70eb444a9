#!/usr/bin/env bash
# All tests, on a machine with Rust: installs what they need from Debian packages (as root, or with
# sudo), builds everything once, runs everything.
#   tests/run.sh                    all
#   ELOQDB_ROUNDS=200 tests/run.sh  the long form of the crash tests and of the random faults
#   ELOQDB_CLIENTS=1 tests/run.sh   with the libraries of Node and Python (docs/clients.md)
#   ELOQDB_LARGE=1 cargo test -p dbtests --test sqlite -- --test-threads=1
#                                   gigabytes: large transactions, values, databases (30 GB of disk, an hour)
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

# What is missing is named; where nobody may install it, the tests that need it say so.
missing=()
need() { # package, command that succeeds when it is there
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
need gcc sh -c 'command -v cc'
need git sh -c 'command -v git'
need postgresql-client sh -c 'command -v psql'
need openssl sh -c 'command -v openssl'
need ieee-data test -e /usr/share/ieee-data/oui.csv
need python3-venv /usr/bin/python3 -c 'import ensurepip'
need python3-psycopg2 /usr/bin/python3 -c 'import psycopg2'
install() {
    say "installing $*"
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    export DEBIAN_FRONTEND=noninteractive
    if ! { "${as_root[@]}" apt-get update -q &&
        "${as_root[@]}" apt-get install -q -y --no-install-recommends "$@"; } </dev/null; then
        echo "run.sh: cannot install $*; tests that need them will fail or be skipped" >&2
    fi
}
[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
# By itself: not every system has it, and the test that looks at the status page with it is skipped then. promtool is used where it is
# (Debian package prometheus), and not installed: the package starts a server.
missing=()
need chromium sh -c 'command -v chromium || command -v chromium-browser || command -v google-chrome'
[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
# haproxy starts a service when it is installed: for a machine of its own alone. Its test is skipped without.
missing=()
[ -z "${CI:-}" ] || need haproxy sh -c 'command -v haproxy'
[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
# asyncpg of a version that knows target_session_attrs, beside what is built; the test that uses it is skipped without.
if ! target/python/bin/python3 -c 'import asyncpg' >/dev/null 2>&1; then
    { python3 -m venv target/python && target/python/bin/pip install --quiet --disable-pip-version-check asyncpg; } ||
        echo "run.sh: cannot install asyncpg in target/python; its test is skipped" >&2
fi
# node-postgres, beside what is built; the test that uses it is skipped without.
if ! [ -e target/node/node_modules/pg ]; then
    npm install --silent --no-audit --no-fund --prefix target/node 'pg@8' ||
        echo "run.sh: cannot install node-postgres in target/node; its test is skipped" >&2
fi

# The libraries that tests/clients/programs runs, with ELOQDB_CLIENTS=1; their tests are skipped without.
if [ -n "${ELOQDB_CLIENTS:-}" ]; then
    npm install --silent --no-audit --no-fund --prefix target/node 'pg@8' postgres knex sequelize typeorm drizzle-orm kysely reflect-metadata ||
        echo "run.sh: cannot install Node's libraries in target/node; their test is skipped" >&2
    target/python/bin/pip install --quiet --disable-pip-version-check 'psycopg[binary]' psycopg2-binary pg8000 peewee alembic tortoise-orm ||
        echo "run.sh: cannot install Python's libraries in target/python; their test is skipped" >&2
fi

say "building"
# The tests of whole programs find them beside their own executables.
cargo build --workspace --bins

if cargo nextest --version >/dev/null 2>&1; then
    say "testing"
    profile=default
    [ -z "${CI:-}" ] || profile=ci
    cargo nextest run --workspace --profile "$profile" </dev/null
    say "testing the examples in the documentation"
    cargo test --quiet --workspace --doc </dev/null
else
    say "testing"
    cargo test --workspace --no-fail-fast </dev/null
fi
