#!/bin/sh
# sh szegedy.sh SZEGEDY: a table of errors from a short training, with every network wrong on what was made for it.
. "$(dirname "$0")/with_data.sh"
"$1" "$data/mnist" --images 10 --epochs 1 --training-images 6000 --output "$out" | tee "$out/said"
[ "$(grep -c '100.0 %' "$out/said")" -ge 3 ]
grep -q 'Errors of each network' "$out/report.html"
