#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
preset=release

usage() {
  cat <<'END'
Usage: tests/run.sh [--preset release|debug|asan|tsan|portable] [ctest arguments]

Installs what is missing, builds everything, and runs every test. For example:
  tests/run.sh -R autograd          only tests whose name matches
  tests/run.sh -LE slow             not those that build other projects
  tests/run.sh --preset asan        with the address and undefined-behaviour sanitizers
END
}

case ${1-} in
  --help | -h) usage; exit ;;
  --preset)
    if [[ $# -lt 2 ]]; then
      echo "run.sh: --preset needs a name" >&2
      usage >&2
      exit 2
    fi
    preset=$2
    shift 2
    ;;
  --preset=*) preset=${1#--preset=}; shift ;;
esac

"$root/third_party/install.sh"
if ! output=$(cmake -S "$root" --preset "$preset" 2>&1); then
  printf '%s\n' "$output" >&2
  exit 1
fi
cmake --build "$root/build/$preset"
cd -- "$root" # ctest looks for presets here
exec ctest --preset "$preset" "$@"
