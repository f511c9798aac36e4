#!/bin/sh
# sh region_geometry.sh REGION_GEOMETRY WEIGHTS: every part on some digits of PAREIDOLIA_DATA, and a run that gets a SIGINT.
. "$(dirname "$0")/with_data.sh"
geometry=$1 weights=$2
digits=$data/mnist/t10k-images-idx3-ubyte.gz
"$geometry" lenet5 "$weights" "$digits" --images 40 --pairs 10 --directions 10 --extremes 3 --curved 4 --adaptive 2 --output "$out" | tee "$out/said"
[ "$(grep -c ': \(seen\|seen in part\|not seen\)\.$' "$out/said")" -eq 11 ]
grep -q 'Regions are connected.*: seen\.$' "$out/said"
grep -q 'APGD on the network and the detector: class reached' "$out/said"
for title in Paths Convexity Flatness 'Principal directions' 'Noise in subspaces' 'Detector, ROC'; do grep -q "$title" "$out/report.html"; done
grep -q '"shared curvature.curved"' "$out/result.json"

"$geometry" lenet5 "$weights" "$digits" --images 4000 --pairs 10 --parts paths curvature --output "$out" > "$out/saying" &
until grep -qs 'almost straight' "$out/saying"; do kill -0 $!; sleep 0.1; done
kill -INT $!
wait $!
grep -q 'Interrupted: some parts are missing' "$out/report.html"
grep -q 'Regions are connected' "$out/report.html"
if "$geometry" lenet5 "$weights" "$digits" --images 4 --parts corners --output "$out" 2> "$out/said"; then exit 1; fi
grep -q 'corners' "$out/said"
