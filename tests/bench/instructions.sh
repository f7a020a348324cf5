#!/usr/bin/env bash
# Counts the instructions that a training step takes, and compares them with those recorded beside this script: a regression gate that no busy machine
# disturbs. A commit that changes a count by more than 5 % for a reason records the new ones.
#
#   tests/bench/instructions.sh [--record] [BENCH]
#
# BENCH is the `bench` of a `portable` build (build/portable/bin/bench): valgrind doesn't know AVX-512, and counts depend on the width of registers.
# Needs valgrind (apt-get install valgrind).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
record=false
if [[ "${1:-}" == --record ]]; then
  record=true
  shift
fi
bench=${1:-$here/../../build/portable/bin/bench}
recorded=$here/instructions.txt
workloads=(mlp_tiny_b1 mlp_tiny_adam_b32 lenet_adam_b64)

command -v valgrind > /dev/null || { echo "instructions.sh: valgrind is missing; apt-get install valgrind" >&2; exit 2; }
[[ -x $bench ]] || { echo "instructions.sh: there is no program $bench; build the portable preset: cmake --preset portable && cmake --build --preset portable --target bench" >&2; exit 2; }

# The instructions of a run with so many steps, on one thread and with one kind of kernels in OpenBLAS.
count() {
  local log
  log=$(OMP_NUM_THREADS=1 OPENBLAS_CORETYPE=Haswell valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" "$1" --threads 1 --steps "$2" 2>&1) ||
    { echo "$log" >&2; exit 1; }
  sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<< "$log"
}

failed=0
lines=""
for workload in "${workloads[@]}"; do
  # What starting takes is the same in both runs.
  exec {first}< <(count "$workload" 1)
  two=$(count "$workload" 2)
  read -r one <&"$first" || exit 1
  now=$((two - one))
  lines+="$workload $now"$'\n'
  $record && continue
  before=$(sed -n "s/^$workload //p" "$recorded")
  [[ -n $before ]] || { echo "instructions.sh: no count of $workload in $recorded; run with --record" >&2; exit 2; }
  change=$(awk -v now="$now" -v before="$before" 'BEGIN { printf "%+.1f", 100 * (now - before) / before }')
  echo "$workload: $now instructions a step, recorded $before ($change %)"
  awk -v change="$change" 'BEGIN { exit change <= 5 && change >= -5 ? 0 : 1 }' || failed=1
done

if $record; then
  printf '%s' "$lines" > "$recorded"
  cat "$recorded"
elif ((failed)); then
  echo "instructions.sh: a count has moved by more than 5 %; if there is a reason, record the new ones with --record" >&2
  exit 1
fi
