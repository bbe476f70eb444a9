#!/usr/bin/env bash
# A master and a slave in a temporary folder: builds, loads a sample shop (or the SQL script given as
# argument), replicates it, shows the same query on both, and keeps all running until Ctrl-C.
#   etc/demo.sh [--once] [SCRIPT.sql]
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

once=no
script=
for argument in "$@"; do
    case $argument in
        --once) once=yes ;;
        -h | --help)
            sed -n '2,4s/^# //p' "$0"
            exit 0
            ;;
        -*)
            echo "demo.sh: unknown option $argument" >&2
            exit 2
            ;;
        *) script=$argument ;;
    esac
done
if [ -n "$script" ] && [ ! -r "$script" ]; then
    echo "demo.sh: cannot read $script" >&2
    exit 2
fi

say() { printf '\n== %s\n' "$*"; }

say "building (the first time takes some minutes)"
cargo build --release --bins
bin=${CARGO_TARGET_DIR:-$root/target}/release

work=$(mktemp -d "${TMPDIR:-/tmp}/eloqdb-demo.XXXXXX")
pids=()
stop() {
    trap - EXIT INT TERM
    # dbrepl first, then the servers, newest first: each by its own pid.
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        kill "${pids[i]}" 2>/dev/null || true
        wait "${pids[i]}" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

export EQ_DBUSER=dba
EQ_DBPASSWORD=$(od -An -N9 -tx1 /dev/urandom | tr -d ' \n')
export EQ_DBPASSWORD

write_config() { # side role
    mkdir -p "$work/$1/fwlog" "$work/$1/tmp"
    cat >"$work/$1.cfg" <<CFG
[Server]
Service = 0
Listen = 127.0.0.1
DataDir = $work/$1/data
Instance = $1
LogFile = $work/$1.log

[ForwardLog]
FwLog = $work/$1/fwlog/fw-%N

[Replication]
Role = $2
TmpDir = $work/$1/tmp
CFG
}

# The server writes process and address into its lock file when it is ready.
start_server() { # side; sets port
    "$bin/dbserver" -c "$work/$1.cfg" &
    pids+=($!)
    local pid=$!
    for _ in $(seq 600); do
        port=$(sed -n 's/^address = .*:\([0-9]*\)$/\1/p' "$work/$1/data/lock" 2>/dev/null | head -n 1) || true
        [ -n "$port" ] && return
        if ! kill -0 "$pid" 2>/dev/null; then break; fi
        sleep 0.1
    done
    echo "demo.sh: the $1 did not start:" >&2
    cat "$work/$1.log" >&2
    exit 1
}

say "setting up: three lines a side"
write_config master Master
write_config slave Slave
for side in master slave; do
    "$bin/dbctl" -c "$work/$side.cfg" init
done
start_server master
master=$port
start_server slave
slave=$port

database=shop
if [ -z "$script" ]; then
    script=$work/shop.sql
    etc/make-shop.sh >"$script"
else
    # A script that makes its own database names it after \c.
    named=$(sed -n 's/^\\c\(onnect\)\{0,1\} *"\{0,1\}\([A-Za-z0-9_]*\).*/\2/p' "$script" | tail -n 1)
    database=${named:-shop}
fi
if ! grep -qi '^ *create database' "$script"; then
    "$bin/dbctl" -s "$master" database create "$database"
fi
say "loading $(basename "$script") into the master"
start_database=system
grep -qi '^ *create database' "$script" || start_database=$database
"$bin/dbctl" -s "$master" sql -d "$start_database" -f "$script" >"$work/load.log" || {
    tail -n 20 "$work/load.log" >&2
    exit 1
}

say "replicating: dbrepl -c master.cfg -v -S :$slave"
"$bin/dbrepl" -c "$work/master.cfg" -v -S ":$slave"

query="SELECT 'customers' AS what, count(*) AS how_many FROM customer UNION ALL SELECT 'orders', count(*) FROM orders"
"$bin/dbctl" -s "$master" sql -d "$database" "$query" >/dev/null 2>&1 ||
    query="SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name LIMIT 12"
for side in master slave; do
    say "the $side says"
    "$bin/dbctl" -s "${!side}" sql -d "$database" "$query"
    "$bin/dbctl" -s "${!side}" database checksum "$database"
done

if [ "$once" = yes ]; then
    say "done"
    exit 0
fi

"$bin/dbrepl" -c "$work/master.cfg" ":$slave" 2>"$work/dbrepl.log" &
pids+=($!)
cat <<TEXT

== master, slave and dbrepl are running; Ctrl-C ends them and removes $work

  write on the master:  PGPASSWORD=$EQ_DBPASSWORD psql -h 127.0.0.1 -p $master -U dba $database
  read on the slave:    PGPASSWORD=$EQ_DBPASSWORD psql -h 127.0.0.1 -p $slave -U dba $database
  without psql:         EQ_DBPASSWORD=$EQ_DBPASSWORD $bin/dbctl -u dba -s $master sql -d $database "SELECT 1"
  how far is the slave: EQ_DBPASSWORD=$EQ_DBPASSWORD $bin/dbctl -u dba -s $slave replication status
  logs:                 $work/*.log
TEXT
wait
