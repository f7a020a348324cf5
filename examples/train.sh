#!/usr/bin/env bash
# From nothing to a trained image classifier. Everything but the program's own output goes to standard error.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
program=$root/build/release/bin/classify

if [[ ${1-} == --help || ${1-} == -h ]]; then
  cat <<'END'
Usage: examples/train.sh [arguments of 'classify train']

Installs what is missing, builds, and trains a convolutional classifier on Fashion-MNIST. For example:
  examples/train.sh --epochs 3 --optimizer 'lookahead(adam)' --seed 2
END
  if [[ -x $program ]]; then
    echo
    exec "$program" train --help
  fi
  exit
fi

"$root/third_party/install.sh"
if ! output=$(cmake -S "$root" --preset release 2>&1); then
  printf '%s\n' "$output" >&2
  exit 1
fi
cmake --build "$root/build/release" --target classify >&2
exec "$program" train "$@"
