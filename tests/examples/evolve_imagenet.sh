#!/bin/sh
# sh evolve_imagenet.sh EVOLVE_IMAGENET WEIGHTS: runs that were stopped and go on end as one that was not; two networks, ten crops, gradients.
set -eu
evolve=$1 weights=$2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for encoding in cppn direct; do
  "$evolve" --network lenet5 "$weights" --encoding $encoding --children 20 --generations 30 --ablated 2 --output "$out/whole" > "$out/said"
  grep -q 'lenet5: 631 images evaluated' "$out/said"
  "$evolve" --network lenet5 "$weights" --encoding $encoding --children 20 --generations 7 --ablated 2 --output "$out/parts" > "$out/said"
  "$evolve" --network lenet5 "$weights" --encoding $encoding --children 20 --generations 30 --ablated 2 --output "$out/parts" > "$out/said"
  diff -r "$out/whole/images" "$out/parts/images"
  cmp "$out/whole/result.safetensors" "$out/parts/result.safetensors"
done
if "$evolve" --network lenet5 "$weights" --children 21 --output "$out/parts" 2> "$out/said"; then exit 1; fi
grep -q 'cppn.checkpoint: it was made with search/map_elites.children = 20, this run has 21' "$out/said"

"$evolve" --network lenet5 "$weights" --network lenet5 "$weights" --climb 2 --children 10 --generations 3 --output "$out/two" > "$out/said"
grep -q 'lenet5_2: 131 images evaluated, 80 gradients' "$out/said"
grep -q 'Images of one network on another' "$out/two/report.html"
grep -q '"transfer.0_on_1"' "$out/two/result.json"
"$evolve" --network lenet5 "$weights" --crops 10 --preset paper --children 10 --generations 1 --ablated 0 --output "$out/crops" > "$out/said"
grep -q 'lenet5: 31 images evaluated' "$out/said"
