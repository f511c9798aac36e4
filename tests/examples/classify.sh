#!/bin/sh
# sh classify.sh CLASSIFY: networks of the zoo, and one from its prototxt, name the animals in pictures of PAREIDOLIA_DATA.
. "$(dirname "$0")/with_data.sh"
classify=$1
see() {
  "$classify" "$1" "$2" "$data"/imagenet/samples256/n0144*.jpg --names "$data/imagenet/synset_words.txt" --json seen.json | tee seen.txt
  grep -q '%  tench' seen.txt
  grep -q '"name": "tench' seen.json
}
see googlenet "$data/models/googlenet/bvlc_googlenet.caffemodel"
see "$data/models/squeezenet_v1.1/deploy.prototxt" "$data/models/squeezenet_v1.1/squeezenet_v1.1.caffemodel"
# Without a file of names: the labels that the network has. A frog, as 32x32 pixels.
"$classify" cifar10_quick "$data/models/cifar10_quick/cifar10_quick_iter_5000.caffemodel" "$data/imagenet/samples256/n01644373_tree_frog.jpg" | tee seen.txt
grep -q '%  frog' seen.txt
"$classify" "$data/models/mnist_onnx/mnist.onnx" --scale 255 "$data/imagenet/samples256/n01644373_tree_frog.jpg" | tee seen.txt
grep -q 'ms an image in CNTKGraph' seen.txt
if "$classify" googlenet "$data/models/googlenet/bvlc_googlenet.caffemodel" --torchvision "$0" 2>seen.txt; then exit 1; fi
grep -q "torchvision has no 'googlenet'" seen.txt
if "$classify" googlenett nothing "$0" 2>seen.txt; then exit 1; fi
grep -q "there is no network 'googlenett'" seen.txt
