# For the scripts beside it: `data` is the folder with the test data, without which they end here, and `out` a folder that goes when they end.
set -eu
data=${PAREIDOLIA_DATA-}
if [ ! -d "$data" ]; then
  echo "set PAREIDOLIA_DATA to the folder with the test data"
  [ -z "${PAREIDOLIA_REQUIRE_DATA+set}" ] || exit 1
  exit 77
fi
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
