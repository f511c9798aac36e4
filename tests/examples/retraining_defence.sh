#!/bin/sh
# sh retraining_defence.sh RETRAINING_DEFENCE: a small retraining on the MNIST of PAREIDOLIA_DATA, once at a stretch and once interrupted and
# taken up, ends with the same bytes.
. "$(dirname "$0")/with_data.sh"
small="$data/mnist --rounds 2 --runs 1 --generations 5 --children 20 --epochs 1 --first-added 200 --images 5000"
"$1" $small --output "$out/whole"
grep -q DNN2 "$out/whole/report.html"
"$1" $small --output "$out/parts" &
tries=0
until [ -d "$out/parts" ] || [ $((tries += 1)) -gt 100 ]; do sleep 0.1; done
sleep 1
kill -INT $! || true
wait $!
"$1" $small --output "$out/parts"
cmp "$out/whole/result.safetensors" "$out/parts/result.safetensors"
