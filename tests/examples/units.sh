#!/bin/sh
# sh units.sh UNITS: pictures of digits, which have labels, and of photographs, which have none, of PAREIDOLIA_DATA.
. "$(dirname "$0")/with_data.sh"
rm -rf units
"$1" "$data/mnist" --layer pool2 --unit mean --output units | tee seen.txt
grep -q 'natural.png: purity 0\.[0-9]* .* over 50 directions' seen.txt
grep -q 'random.png: purity 0\.[0-9]* .* over 100 directions' seen.txt
[ -s units/natural.png ]
[ -s units/random.png ]
mkdir units/photos
cp "$data"/imagenet/samples256/n0144*.jpg "$data"/imagenet/samples256/n0153*.jpg units/photos
"$1" units/photos --network squeezenet_1_1 --weights "$data/models/squeezenet_v1.1/squeezenet_v1.1.caffemodel" --layer fire9/concat \
  --unit maximum --top 3 --output units/colour | tee seen.txt
grep -q 'natural.png$' seen.txt
if "$1" "$data/mnist" --layer nothing 2>seen.txt; then exit 1; fi
grep -q "has no layer 'nothing'" seen.txt
