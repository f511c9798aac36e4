#!/bin/sh
# sh szegedy.sh SZEGEDY: a table of errors from a short training, with every network wrong on what was made for it.
set -eu
data=${PAREIDOLIA_DATA-}
if [ ! -d "$data" ]; then
  echo "set PAREIDOLIA_DATA to the folder with the test data"
  [ -z "${PAREIDOLIA_REQUIRE_DATA+set}" ] || exit 1
  exit 77
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"$1" "$data/mnist" --images 10 --epochs 1 --training-images 6000 --output "$out" | tee "$out/said"
[ "$(grep -c '100.0 %' "$out/said")" -ge 3 ]
grep -q 'Errors of each network' "$out/report.html"
