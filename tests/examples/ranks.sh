#!/bin/sh
# sh ranks.sh EVOLVE_ON_RANKS MPIEXEC WEIGHTS: the same images on 1, 2 and 4 ranks; a rank that is killed, or fails, ends all with an error, and
# fewer ranks take up what was kept; a signal to one rank ends all with what there is.
set -eu
program=$1 mpiexec=$2 weights=$3 generations=60
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
cd "$out"

# on RANKS OUTPUT ARGUMENTS...; each rank writes the number of its process into OUTPUT.RANK.
on() {
  ranks=$1 folder=$2
  shift 2
  timeout 100 "$mpiexec" -n "$ranks" sh -c 'echo $$ >"$0.${OMPI_COMM_WORLD_RANK:-${PMI_RANK-0}}"; exec "$@"' "$folder" \
    "$program" lenet5 "$weights" --children 40 --generations "$generations" --output "$folder" "$@" >"$folder.log" 2>&1
}
fail() {
  echo "FAILED: $1"
  cat ./*.log
  exit 1
}
same() { cmp "$1/result.safetensors" "$2/result.safetensors" || fail "$1 and $2 differ"; }
# wait_for CONDITION, one of test's.
wait_for() {
  tries=0
  until [ "$@" ]; do
    [ $((tries += 1)) -lt 1000 ] || fail "waiting for: $*"
    sleep 0.02
  done
}

for ranks in 1 2 4; do
  on $ranks shared$ranks || fail "$ranks ranks, shared batches"
  on $ranks islands$ranks --islands 4 || fail "$ranks ranks, islands"
done
for kind in shared islands; do
  same ${kind}1 ${kind}2
  same ${kind}1 ${kind}4
done
[ "$(grep -c 'evolve \[' shared4.log)" = "$(grep -c 'evolve \[' shared1.log)" ] || fail 'others than the first rank tell their progress'

for kind in shared islands; do
  [ $kind = shared ] && count=0 || count=4
  on 4 killed_$kind --islands $count --checkpoint $kind.ckpt --seconds 0 &
  wait_for -e $kind.ckpt
  kill -KILL "$(cat killed_$kind.2)"
  ! wait $! || fail "$kind: a rank was killed, and mpiexec says all is well"
  for rank in 0 1 3; do wait_for ! -e /proc/"$(cat killed_$kind.$rank)"/exe; done
  on 2 resumed_$kind --islands $count --checkpoint $kind.ckpt || fail "$kind: taken up by 2 ranks"
  same ${kind}1 resumed_$kind
done

! on 2 failing --checkpoint nowhere/file.ckpt || fail 'a checkpoint in no folder'
grep -q 'nowhere' failing.log || fail 'the rank that failed does not say why'

generations=100000
on 2 interrupted --checkpoint interrupted.ckpt --seconds 0 &
wait_for -e interrupted.ckpt
kill -INT "$(cat interrupted.1)"
wait $! || fail 'a signal to one rank'
grep -q '"complete": *false' interrupted/result.json || fail 'interrupted, and complete'
