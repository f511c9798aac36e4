#!/bin/sh
# sh train.sh TRAIN_LENET FOOL_DIGITS: trains for one epoch on the MNIST of PAREIDOLIA_DATA, and fools what was trained.
. "$(dirname "$0")/with_data.sh"
"$1" "$data/mnist" --epochs 1 --output trained.safetensors
"$2" --weights trained.safetensors --generations 2 --children 20 --output trained
