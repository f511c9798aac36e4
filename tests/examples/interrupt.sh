#!/bin/sh
# sh interrupt.sh FOOL_DIGITS: a run that gets a SIGINT ends well, with a report of what it had.
set -eu
rm -rf interrupted
"$1" --encoding direct --generations 1000000 --output interrupted &
until [ -d interrupted ]; do sleep 0.1; done
sleep 2
kill -INT $!
wait $!
grep -q '</html>' interrupted/report.html
grep -q '"complete": *false' interrupted/result.json
