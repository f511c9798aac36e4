#!/bin/sh
# sh deepception.sh DEEPCEPTION WEIGHTS: digits of PAREIDOLIA_DATA are taken for others, with few queries, beside patches pasted blindly; and
# the same with one list of placements for all of them.
. "$(dirname "$0")/with_data.sh"
deepception=$1 weights=$2
digits=$data/mnist/t10k-images-idx3-ubyte.gz
"$deepception" lenet5 "$weights" "$digits" --images 20 --donor-images 100 --area .1 .3 --queries 200 --compare --output "$out" | tee "$out/said"
[ "$(grep -c '^placement ' "$out/said")" = 6 ]
grep -q 'sampled  area 30.0 %.* 200 queries \(9[0-9]\|100\)' "$out/said"
grep -q 'any donor, blindly' "$out/report.html"
for strategy in exhaustive coarse lazy; do
  "$deepception" lenet5 "$weights" "$digits" --images 5 --donor-images 50 --queries 300 --strategy $strategy --targeted --output "$out" | tee "$out/said"
  grep -q 'area 30.0 %' "$out/said"
done
"$deepception" lenet5 "$weights" "$digits" --images 10 --donor-images 50 --queries 60 --universal --output "$out" | tee "$out/said"
grep -q 'universal  area 30.0 %' "$out/said"
if "$deepception" lenet5 "$weights" "$digits" --images 10000 --output "$out" 2> "$out/said"; then exit 1; fi
grep -q 'no images are left to take patches from' "$out/said"
