#!/bin/bash
# growth.sh [COUNTS] [ROUNDS]: cost and memory with growing numbers of hosts, and the picture of it.
# The largest needs 8 GiB of memory and two to three minutes.
set -e
cd "$(dirname "$(readlink -f "$0")")/.."
cargo build --release --quiet -p bench --bins
mkdir -p docs/performance
csv=docs/performance/growth.csv
: > "$csv.new"
for hosts in ${1:-10000 100000 1000000 10000000 100000000}; do
    target/release/hosts --hosts "$hosts" --seconds 3 --rounds "${2:-7}" | tee -a "$csv.new"
done
# One line of names, then figures.
awk '/^hosts/ { if (seen++) next } { print }' "$csv.new" > "$csv"
rm "$csv.new"
target/release/curve docs/performance
