#!/bin/sh
# sh bootstrap.sh FILE: what cmake/bootstrap calls, with stand-ins for the programs that would install and build.
set -eu
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
mkdir -p "$here/a project/cmake" "$here/bin" "$here/elsewhere"
cp "$1" "$here/a project/cmake/bootstrap"
for tool in sh dirname env sort head sed; do ln -s "$(command -v $tool)" "$here/bin/$tool"; done

# stand_in NAME BODY: a program on the PATH of the test that writes its call to $log.
log=$here/log
stand_in() {
  printf '#!/bin/sh\necho "%s $*" >>"%s"\n%s\n' "$1" "$log" "$2" >"$here/bin/$1"
  chmod +x "$here/bin/$1"
}
# machine INSTALLED USER: a machine where packages that match the pattern are there.
machine() {
  rm -f "$here/bin/sudo" "$log"
  printf '#!/bin/sh\nfor last; do :; done\ncase $last in %s) printf installed ;; *) exit 1 ;; esac\n' "$1" >"$here/bin/dpkg-query"
  printf '#!/bin/sh\necho %s\n' "$2" >"$here/bin/id"
  chmod +x "$here/bin/dpkg-query" "$here/bin/id"
  stand_in apt-get ''
  stand_in cmake '[ "$1" != --version ] || echo "cmake version 3.25.1"; [ "$1" = --version ] || pwd >>"'"$log"'"'
  : >"$log"
}
bootstrap() { (cd "$here/elsewhere" && PATH=$here/bin "$here/a project/cmake/bootstrap" "$@") >"$here/output" 2>&1; }
fail() {
  echo "FAILED: $1"
  echo "--- printed:" && cat "$here/output"
  echo "--- called:" && cat "$log"
  exit 1
}
called() { grep -q -- "$1" "$log" || fail "expected a call of: $1"; }
not_called() { ! grep -q -- "$1" "$log" || fail "unexpected call of: $1"; }
printed() { grep -q -- "$1" "$here/output" || fail "expected the output: $1"; }

machine '*' 0
bootstrap test || fail 'everything installed'
not_called '^apt-get'
called '^cmake --workflow --preset test$'
called "^$here/a project\$"

machine 'lib*' 0
bootstrap demo || fail 'some packages missing, as root'
called '^apt-get update$'
called '^apt-get install -y --no-install-recommends g++ cmake ninja-build zlib1g-dev nlohmann-json3-dev$'
called '^cmake --workflow --preset demo$'
not_called 'doctest-dev'

machine 'lib*' 0
stand_in apt-get '[ "$1" = install ]'
bootstrap demo || fail 'package lists not readable, packages there'
machine 'lib*' 0
stand_in apt-get '[ "$1" = update ]'
! bootstrap demo || fail 'a package could not be installed'
not_called '^cmake --workflow'

machine '[!d]*' 1000
stand_in sudo '"$@"'
bootstrap test || fail 'one package missing, not root'
called '^sudo apt-get update$'
called '^sudo env .*apt-get install -y --no-install-recommends doctest-dev$'

machine '[!d]*' 1000
! bootstrap test || fail 'neither root nor sudo'
printed 'apt-get install -y --no-install-recommends doctest-dev$'
not_called '^cmake --workflow'

machine '*' 0
rm "$here/bin/dpkg-query"
bootstrap demo || fail 'another distribution with everything'
printed 'No dpkg here.*libdnnl-dev'
rm "$here/bin/cmake"
! bootstrap demo || fail 'another distribution without CMake'
printed 'CMake 3.25 or newer is needed; this is none'

machine '*' 0
stand_in cmake 'echo "cmake version 3.22.1"'
! bootstrap demo || fail 'CMake too old'
printed 'CMake 3.25 or newer is needed; this is 3.22.1'

! bootstrap || fail 'no command'
printed 'usage: '
! bootstrap teapot || fail 'unknown command'
