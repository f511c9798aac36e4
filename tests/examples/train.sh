#!/bin/sh
# sh train.sh TRAIN_LENET FOOL_DIGITS: trains for one epoch on the MNIST of PAREIDOLIA_DATA, and fools what was trained.
set -eu
if [ ! -d "${PAREIDOLIA_DATA-}" ]; then
  echo "set PAREIDOLIA_DATA to the folder with the test data"
  [ -z "${PAREIDOLIA_REQUIRE_DATA+set}" ] || exit 1
  exit 77
fi
"$1" "$PAREIDOLIA_DATA/mnist" --epochs 1 --output trained.safetensors
"$2" --weights trained.safetensors --generations 2 --children 20 --output trained
