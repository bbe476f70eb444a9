#!/usr/bin/env bash
# Runs fuzz targets by hand, needs a nightly compiler and `cargo install cargo-fuzz`.
#   fuzz/run.sh 3600                 every target for an hour, one after another
#   fuzz/run.sh 3600 frames records  these
# FUZZ_DIR is where the build, the grown corpora and the findings go (default: fuzz/work).
# A finding is minimized with `cargo +nightly fuzz tmin`, mended, and kept in crashes/<target>/.
set -euo pipefail
cd "$(dirname "$0")"
seconds=$1
shift
work=${FUZZ_DIR:-work}
mkdir -p "$work"
work=$(cd "$work" && pwd)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list --fuzz-dir .)

# No allocation above 64 MiB, no more than 1 GiB in all, no input that takes ten seconds.
limits=(-malloc_limit_mb=64 -rss_limit_mb=1024 -timeout=10)

for target in "${targets[@]}"; do
    grown=$work/corpus/$target
    found=$work/found/$target/
    log=$work/$target.log
    mkdir -p "$grown" "$found" "corpus/$target" "crashes/$target"
    options=("${limits[@]}" -max_total_time="$seconds" -artifact_prefix="$found" -print_final_stats=1)
    case $target in
    dialect) options+=(-dict=words/sql.dict -max_len=2000) ;;
    config) options+=(-dict=words/config.dict -max_len=4000) ;;
    segment | block | records) options+=(-max_len=65536 -len_control=50) ;;
    *) options+=(-max_len=8192) ;;
    esac
    started=$(date +%s)
    status=0
    cargo +nightly fuzz run --fuzz-dir . --target-dir "$work/build" "$target" \
        "$grown" "corpus/$target" "crashes/$target" -- "${options[@]}" >"$log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log" | tail -1)
    cover=$(grep -o 'cov: [0-9]*' "$log" | tail -1 || true)
    printf '%-9s %5d s  %12s runs  %-11s %6s files  %5s MB  %s findings  exit %d\n' "$target" \
        $(($(date +%s) - started)) "${runs:-?}" "$cover" "$(find "$grown" -type f | wc -l)" \
        "${peak:-?}" "$(find "$found" -type f | wc -l)" "$status" | tee -a "$work/summary.txt"
done
