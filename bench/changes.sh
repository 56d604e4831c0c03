#!/bin/bash
# changes.sh [HOSTS] [CHANGES] [ROUNDS]: queries while addresses change, each round beside one without.
set -e
cd "$(dirname "$(readlink -f "$0")")/.."
cargo build --release --quiet -p bench --bins
hosts=${1:-1000000} changes=${2:-50000} rounds=${3:-7}
ask() { target/release/hosts --hosts "$hosts" --seconds 3 "$@" | tail -1; }
echo "what,hosts,fill_s,rss_octets,rss_per_host,zone_octets_per_host,qps,user_us,sys_us,wrong,lost,p50_us,p99_us,p999_us,changes_per_s"
for _ in $(seq "$rounds"); do
    echo "most at rest,$(ask)"
    echo "most while changing,$(ask --changes "$changes")"
    echo "100 k/s at rest,$(ask --rate 100000)"
    echo "100 k/s while changing,$(ask --rate 100000 --changes "$changes")"
done
