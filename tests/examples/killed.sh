#!/bin/sh
# sh killed.sh FOOL_DIGITS TIMES [GENERATIONS]: runs that keep their state are killed TIMES times, each at a random moment, and every one of
# them, taken up, ends with the same bytes as a run that nothing disturbed.
set -eu
fool_digits=$1 times=$2 generations=${3-60}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
evolve() {
  "$fool_digits" --children 30 --generations "$generations" --checkpoint 0 --output "$1" > "$out/said" 2>&1
}
evolve "$out/first"  # which finds the program and its files not yet in memory
begin=$(date +%s%N)
evolve "$out/whole"
length=$(($(date +%s%N) - begin))

killed=0 tries=0 kept=0
while [ "$killed" -lt "$times" ]; do
  tries=$((tries + 1))
  [ "$tries" -le $((10 + 3 * times)) ]
  rm -rf "$out/cut"
  moment=$(awk -v seed="$tries$$" -v nanoseconds="$length" 'BEGIN { srand(seed); print rand() * nanoseconds / 1e9 }')
  "$fool_digits" --children 30 --generations "$generations" --checkpoint 0 --output "$out/cut" > "$out/said" 2>&1 &
  sleep "$moment"
  kill -KILL $! 2> "$out/said" || true
  if wait $! 2> "$out/said"; then continue; fi  # it was done before
  killed=$((killed + 1))
  if [ -f "$out/cut/direct.checkpoint" ]; then kept=$((kept + 1)); fi
  evolve "$out/cut"
  cmp "$out/whole/result.safetensors" "$out/cut/result.safetensors"
done
echo "$killed runs were killed, $kept of them after their first checkpoint: all ended as the one that was not"
[ "$kept" -gt 0 ]

# A disk that fills up while a checkpoint is written: the run ends with an error, the older checkpoint stays, and with more room it goes on.
blocks=$(($(wc -c < "$out/whole/direct.checkpoint") / 512 - 2))
rm -rf "$out/cut"
if (trap '' XFSZ && ulimit -f "$blocks" && evolve "$out/cut"); then exit 1; fi
grep -q 'direct.checkpoint: cannot be written .* the disk has room' "$out/said"
[ -f "$out/cut/direct.checkpoint" ]
evolve "$out/cut"
cmp "$out/whole/result.safetensors" "$out/cut/result.safetensors"
