#!/bin/sh
# sh patch_properties.sh PATCH_PROPERTIES WEIGHTS: the four properties of two networks on some digits of PAREIDOLIA_DATA.
. "$(dirname "$0")/with_data.sh"
properties=$1 weights=$2
"$properties" --network lenet5 "$weights" --network "$data/models/mnist_onnx/mnist.onnx" --images "$data/mnist/t10k-images-idx3-ubyte.gz" \
  --most 10 --size .36 --stride .15 --output "$out" | tee "$out/said"
[ "$(grep -c ': seen\.' "$out/said")" -ge 7 ]
for property in local spatial 'activation and inhibition' cumulative; do grep -q "$property" "$out/report.html"; done
grep -q '"cumulative.lenet5.curves"' "$out/result.json"
if "$properties" --network lenet5 --images "$data/mnist/t10k-images-idx3-ubyte.gz" --output "$out" 2> "$out/said"; then exit 1; fi
grep -q 'it has no weights of its own' "$out/said"
