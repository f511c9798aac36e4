#!/bin/sh
# sh adversarial.sh ADVERSARIAL WEIGHTS: digits of PAREIDOLIA_DATA become others, to a class at will too, and the report says so.
. "$(dirname "$0")/with_data.sh"
adversarial=$1 weights=$2
digits=$data/mnist/t10k-images-idx3-ubyte.gz
"$adversarial" lenet5 "$weights" "$digits" --images 20 --radius 0.3 --output "$out/pgd"
grep -q '20 of 20</dd>' "$out/pgd/report.html"
[ -f "$out/pgd/images/pgd-linf/07_difference.png" ]
"$adversarial" lenet5 "$weights" "$digits" --images 10 --norm l2 --radius 6 --target 3 --output "$out/target"
grep -q '10 of 10</dd>' "$out/target/report.html"
"$adversarial" lenet5 "$weights" "$digits" --images 20 --method fgsm --radius 0.001 --output "$out/fgsm"
grep -q '>0 of 20</dd>' "$out/fgsm/report.html"
if "$adversarial" lenet5 "$weights" --output "$out/none" 2>"$out/said"; then exit 1; fi
grep -q 'no images were given' "$out/said"
if "$adversarial" lenet5 "$weights" "$digits" --target 10 --output "$out/none" 2>"$out/said"; then exit 1; fi
grep -q "none of the network's classes" "$out/said"
