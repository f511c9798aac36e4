#!/bin/sh
# sh interrupt.sh FOOL_DIGITS: a run that gets a SIGINT ends well, with a report of what it had.
set -eu
rm -rf interrupted
"$1" --encoding direct --generations 1000000 --output interrupted &
tries=0
until [ -d interrupted ] || [ $((tries += 1)) -gt 100 ]; do sleep 0.1; done
sleep 2
kill -INT $!
wait $!
grep -q '</html>' interrupted/report.html
grep -q '"complete": *false' interrupted/result.json
