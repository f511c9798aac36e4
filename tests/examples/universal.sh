#!/bin/sh
# sh universal.sh UNIVERSAL WEIGHTS: one change, found with some digits of PAREIDOLIA_DATA, fools most of them, by either method.
. "$(dirname "$0")/with_data.sh"
universal=$1 weights=$2
digits=$data/mnist/t10k-images-idx3-ubyte.gz
"$universal" lenet5 "$weights" "$digits" --images 60 --held-out 60 --radius 100 --passes 10 --output "$out" | tee "$out/said"
grep -q 'that it has not seen *60 *[4-9][0-9]' "$out/said"
[ -f "$out/perturbation.png" ]
grep -q 'that it has not seen' "$out/report.html"
"$universal" lenet5 "$weights" "$digits" --images 30 --held-out 0 --radius 100 --method paper --passes 3 --together 8 --output "$out" | tee "$out/said"
grep -q 'that it was found with *30 *[4-9][0-9]' "$out/said"
