#!/usr/bin/env bash
# Installs the drivers below target/drivers (PyPI, npm; JDBC from Debian) and asks each what it does in each mode with good and
# bad certificates. What one of them does otherwise than docs/security.md has it is a failure.
#   tests/security/drivers/run.sh
set -euo pipefail
cd "$(dirname "$0")/../../.."
drivers=$PWD/target/drivers
mkdir -p "$drivers"
[ -x "$drivers/bin/python" ] || python3 -m venv "$drivers"
"$drivers/bin/pip" install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.*' 'asyncpg==0.32.*'
npm install --silent --no-audit --no-fund --prefix "$drivers" 'pg@8'
if [ ! -e /usr/share/java/postgresql.jar ] || ! command -v java >/dev/null; then
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    "${as_root[@]}" apt-get install -q -y --no-install-recommends libpostgresql-jdbc-java default-jdk-headless
fi
cargo build --workspace --bins
ELOQDB_DRIVERS=$drivers cargo test -p dbtests --test security drivers -- --ignored --nocapture
